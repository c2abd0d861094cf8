// Sends the next part by itself. Without scripts its button does.
"use strict";
window.addEventListener("load", () => document.getElementById("go-on").submit());
