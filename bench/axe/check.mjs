// Opens each page in four views and writes, as JSON, what axe-core finds there and what is wider than its place.
//
//     node check.mjs TASK.json FOUND.json
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const task = JSON.parse(readFileSync(process.argv[2], "utf8"));
const require = createRequire(join(task.modules, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const DEVICES = {
  desktop: { viewport: { width: 1280, height: 900 } },
  phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
};
const SCHEMES = ["light", "dark"];
const MOST_MILLISECONDS = 60_000;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const browser = await chromium.launch({ executablePath: task.chromium, args: ["--no-sandbox"] });
const found = [];
await Promise.all(Object.entries(DEVICES).map(([device, options]) => seeAll(device, options)));
await browser.close();
writeFileSync(process.argv[3], JSON.stringify(found));

async function seeAll(device, options) {
  const context = await browser.newContext({ ...options, reducedMotion: "reduce", baseURL: task.url });
  context.setDefaultTimeout(MOST_MILLISECONDS);
  for (const page of task.pages) {
    await context.clearCookies();
    const tab = await context.newPage();
    try {
      await see(tab, page, device);
    } catch (error) {
      found.push({ page: page.name, view: device, fault: error.message.split("\n")[0] });
    }
    await tab.close();
  }
}

async function see(tab, page, device) {
  const session = "session" in page ? page.session : "operator";
  if (session) await tab.context().addCookies([{ name: task.cookie, value: task.sessions[`${session} ${device}`] ?? task.sessions[session], url: task.url }]);
  const answer = await tab.goto(page.path);
  if (answer.status() !== (page.status ?? 200)) throw new Error(`${page.path} is ${answer.status()}`);
  await go(tab, page);
  if (page.then) await go(tab, page.then);
  for (const scheme of SCHEMES) {
    await tab.emulateMedia({ colorScheme: scheme });
    await tab.evaluate(() => Promise.all(document.getAnimations().map((each) => each.finished)));
    await tab.evaluate(axe);
    const result = await tab.evaluate((tags) => window.axe.run({
      runOnly: tags,
      rules: { "target-size": { enabled: true } },
      resultTypes: ["violations"],
    }), TAGS);
    const wide = await tab.evaluate(widerThanItsPlace);
    const violations = result.violations.map(({ id, impact, nodes }) => ({
      id,
      impact,
      where: nodes.map(({ target, html }) => `${target.join(" ")} ${html.slice(0, 160)}`),
    }));
    found.push({ page: page.name, view: `${device} ${scheme}`, violations, wide });
    if (task.pictures) {
      const name = `${page.name.replace(/\W+/g, "-")}.${device}.${scheme}.png`;
      await tab.screenshot({ path: join(task.pictures, name), fullPage: true });
    }
  }
}

// What somebody at the page would do. `has` is what must be there in the end: it is the page that was meant.
async function go(tab, { fill = [], also, press, lose, log_in, has }) {
  if (log_in) fill = [["#id_username", task.email], ["#id_password", task.password]];
  for (const [selector, value] of fill) {
    const field = tab.locator(selector).first();
    const tag = await field.evaluate((element) => element.tagName);
    if (value === true) await field.check();
    else if (tag === "SELECT") await field.selectOption(value);
    else await field.fill(value);
  }
  if (also) await tab.locator(also).first().click();
  if (lose) await tab.context().clearCookies({ name: task.cookie });
  if (press) {
    await Promise.all([tab.waitForNavigation(), tab.locator(press).first().click()]);
  }
  if (has) await tab.locator(has).first().waitFor({ state: "attached", timeout: 15_000 });
}

// The page itself never; on a large screen no table either: a column that one has to scroll to is one that nobody sees.
function widerThanItsPlace() {
  const root = document.documentElement;
  const wide = [];
  if (root.scrollWidth > window.innerWidth || window.innerWidth > window.screen.width) {
    const right = (element) => element.getBoundingClientRect().right;
    const outside = [...document.body.querySelectorAll("*")].filter((each) => right(each) > window.screen.width + 1);
    wide.push(`the page: ${root.scrollWidth} px, by ${outside.slice(0, 3).map((each) => each.outerHTML.slice(0, 100))}`);
  }
  if (window.innerWidth > 1000) {
    for (const table of document.querySelectorAll("table")) {
      const place = table.parentElement;
      if (table.offsetWidth > place.clientWidth + 1) {
        wide.push(`${table.id || table.className || "a table"}: ${table.offsetWidth} px in ${place.clientWidth}`);
      }
    }
  }
  return wide;
}
