// Shows what is said on a group's call, as docs/captions.md says. Where to look stands behind the page's own address:
//   #server=https://api.example.com&group=1&token=...
// An app has these already, and takes `Captions` and `follow` alone.
import { follow } from "./follow.js";

const NEAR = 40; // pixels from the end: who is so near reads the newest
const $ = (id) => document.getElementById(id);

const make = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

// Whatever has been said is text: nothing of it is ever read as HTML.
export function line(caption, isFinal) {
  const who = make("span", { className: "who" }, make("bdi", { textContent: caption.displayName }));
  if (caption.typed) who.append(make("span", { className: "note", textContent: "typed" }));
  const at = new Date(caption.createdAt);
  who.append(make("time", { dateTime: caption.createdAt, textContent: at.toLocaleTimeString() }));
  const words = make("span", { className: "words", dir: "auto", textContent: caption.text + (isFinal ? "" : " …") });
  if (caption.language) words.lang = caption.language;
  const item = make("li", {}, who, words);
  if (caption.why) item.append(make("span", { className: "note", textContent: `Not spoken: ${caption.why}` }));
  return item;
}

export class Captions {
  constructor(box, finals, partials) {
    Object.assign(this, { box, finals, partials, isPaused: false, waiting: [] });
    this.known = new Map(); // what is shown of each caption, by its id
    this.speaking = new Map(); // what is shown of who is speaking
  }

  apply({ caption, final }) {
    if (this.isPaused) {
      if (final) this.waiting.push(caption);
      return;
    }
    const stays = this.isAtTheEnd();
    if (final) this.say(caption);
    this.beSaying(caption, final);
    if (stays) this.goToTheEnd();
  }

  // In the order in which it was said: what comes late goes between. Read out is what is added, once.
  say(caption) {
    const item = line(caption, true);
    item.at = [caption.createdAt, caption.id];
    const shown = this.known.get(caption.id);
    if (shown?.at[0] === caption.createdAt) {
      shown.replaceChildren(...item.childNodes);
      return;
    }
    shown?.remove();
    this.known.set(caption.id, item);
    const later = [...this.finals.children].reverse();
    const before = later.find(({ at }) => at[0] < item.at[0] || (at[0] === item.at[0] && at[1] < item.at[1]));
    if (before) before.after(item);
    else this.finals.prepend(item);
  }

  // One line of each person, and none behind their final words.
  beSaying(caption, final) {
    if (caption.typed) return;
    const who = `${caption.userId} ${caption.displayName}`;
    const item = !final && caption.text ? line(caption, false) : null;
    const shown = this.speaking.get(who);
    if (item && shown) shown.replaceWith(item);
    else if (item) this.partials.append(item);
    else shown?.remove();
    if (item) this.speaking.set(who, item);
    else this.speaking.delete(who);
  }

  // Nothing is lost: what comes meanwhile is shown afterwards.
  pause(isPaused) {
    this.isPaused = isPaused;
    if (isPaused) return;
    for (const caption of this.waiting.splice(0)) this.apply({ caption, final: true });
  }

  isAtTheEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR;
  }

  goToTheEnd() {
    this.box.scrollTop = this.box.scrollHeight;
  }

  // What was said before, without being read out as if it were new.
  history(captions) {
    const log = this.finals.parentElement;
    const below = this.box.scrollHeight - this.box.scrollTop;
    log.setAttribute("aria-live", "off");
    for (const caption of captions) this.say(caption);
    this.box.scrollTop = this.box.scrollHeight - below;
    setTimeout(() => log.setAttribute("aria-live", "polite"), 500);
  }
}

function page({ server = "", group, token = "", user = "" }) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const captions = new Captions($("said"), $("finals"), $("partials"));
  const path = `${server}/api/groups/${group}`;
  let earlier = `${path}/captions?limit=50`;

  async function read() {
    const answer = await fetch(earlier, { headers });
    if (!answer.ok) return;
    const next = /<([^>]+)>; *rel="next"/.exec(answer.headers.get("Link") ?? "");
    earlier = next && new URL(next[1], new URL(server || location.href, location.href)).href;
    $("earlier").hidden = !earlier;
    captions.history(await answer.json());
  }

  const seeWhere = () => ($("newest").hidden = captions.isAtTheEnd());
  $("said").addEventListener("scroll", seeWhere);
  $("newest").addEventListener("click", () => (captions.goToTheEnd(), $("said").focus()));
  $("earlier").addEventListener("click", read);
  $("pause").addEventListener("click", () => {
    captions.pause(!captions.isPaused);
    $("pause").setAttribute("aria-pressed", captions.isPaused);
    $("state").textContent = captions.isPaused ? "Paused. What is said meanwhile is kept." : "What is said is shown.";
  });
  $("type").addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = JSON.stringify({ text: $("words").value });
    const answer = await fetch(`${path}/spokenMessages`, { method: "POST", headers, body });
    const said = await answer.json();
    $("typed").textContent = answer.ok ? "It is spoken in its turn." : said.detail;
    if (answer.ok) $("words").value = "";
  });

  const address = `${server}/api/live?groupId=${group}${user && `&userId=${user}`}`;
  follow(address, async () => token, async (name, data) => {
    if (name === "ready" || name === "reset") {
      $("state").textContent = "What is said is shown.";
      earlier = `${path}/captions?limit=50`;
      await read();
      captions.goToTheEnd();
    }
    if (name === "caption") captions.apply(data);
    seeWhere();
  });
}

function settings() {
  const { size, partials, times } = $("settings").elements;
  const show = () => {
    document.documentElement.style.setProperty("--size", size.value);
    $("partials").hidden = !partials.checked;
    $("said").classList.toggle("times", times.checked);
    for (const each of [size, partials, times]) localStorage.setItem(`captions ${each.name}`, each.checked ?? each.value);
  };
  size.value = localStorage.getItem("captions size") ?? size.value;
  partials.checked = localStorage.getItem("captions partials") !== "false";
  times.checked = localStorage.getItem("captions times") === "true";
  $("settings").addEventListener("change", show);
  show();
}

settings();
const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
if (given.group) page(given);
