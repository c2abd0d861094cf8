// Names for what Django's scripts make, and a place in the order of tabs for what scrolls: axe-core misses both.
"use strict";
{
    const label = (select) => document.querySelector(`label[for="${select.id}"]`)?.textContent.trim().replace(/:$/, "")
        || select.getAttribute("aria-label") || "";

    function mend() {
        for (const tip of document.querySelectorAll(".help-tooltip[aria-label]:not([role])")) {
            tip.setAttribute("role", "img");
        }
        for (const box of document.querySelectorAll(".select2-selection:not([aria-label])")) {
            const select = box.closest(".select2-container").previousElementSibling;
            const name = select && label(select);
            if (!name) continue;
            const shown = box.querySelector(".select2-selection__rendered");
            box.setAttribute("aria-label", name);
            box.removeAttribute("aria-labelledby");
            shown?.setAttribute("aria-label", name);
        }
        for (const place of document.querySelectorAll(".scrolls, .results, .module")) {
            if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
        }
    }

    window.addEventListener("load", () => {
        mend();
        new MutationObserver(mend).observe(document.getElementById("container"), { childList: true, subtree: true });
    });
}

// Times are shown in the zone of this browser from the next page on: users/operators/time_zone.py.
{
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `time_zone=${zone}; Path=/admin/; Max-Age=31536000; SameSite=Lax${secure}`;
}
