// Keeps the table of running calls as it is now. Not while somebody is at one of its buttons, nor in a hidden tab.
"use strict";
{
    const place = document.getElementById("running");

    async function look() {
        if (document.hidden || place.contains(document.activeElement)) return;
        const answer = await fetch(place.dataset.rows, { redirect: "error" });
        if (answer.ok && !place.contains(document.activeElement)) place.innerHTML = await answer.text();
    }

    setInterval(() => look().catch(() => {}), 5000);
}
