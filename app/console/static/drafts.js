// What somebody types outlives their login: it stays in this tab, under their name, until the form is
// taken or they sign out. A login that ends meanwhile leads to the login page and back.
// A form that makes something new (data-keep) comes back whole, over what the page proposes; one that changes something
// (data-keep="same") where the page still proposes the same, so that nothing covers what somebody else saved meanwhile.
const FIELDS = "textarea, select, input:not([type]), input:is([type=text], [type=date], [type=radio], [type=checkbox])";
const ALL = "zhenxue:draft:";
const PREFIX = `${ALL}${document.querySelector(".who .name")?.textContent}:`;
const SENT = `${ALL}sent`;
const refused = document.querySelector("[role=alert]"); // such a form shows itself what was typed
// What tells apart the forms that one page sends to one address.
const ABOUT = ["kind", "what", "step", "deed", "finding", "objection", "learners", "lift", "which", "setup"];
const proposed = new WeakMap();
const key = (form) => [
  PREFIX + new URL(form.getAttribute("action") ?? "", location).pathname,
  ...[...form.querySelectorAll("input[type=hidden]")].filter((it) => ABOUT.includes(it.name))
    .map((it) => `${it.name}=${it.value}`),
  ...(proposed.get(form) ?? []),
].join(" ");
const fields = (form) => [...form.querySelectorAll(FIELDS)].filter((it) => it.name);
const posted = (whole) => document.querySelectorAll(`form[method=post]${whole}`);
for (const form of posted("[data-keep=same]")) {
  proposed.set(form, fields(form).map((it) => `${it.name}=${/radio|checkbox/.test(it.type) ? it.checked : it.value}`));
}

const sent = sessionStorage.getItem(SENT);
sessionStorage.removeItem(SENT);
const back = document.querySelector(".refusal") || (refused && [...posted("")].some((it) => key(it) === sent));
if (sent && !back && document.querySelector(".who")) sessionStorage.removeItem(sent); // it was taken

for (const form of posted(":is(:has(textarea), [data-keep])")) {
  const keep = "keep" in form.dataset;
  const words = JSON.parse(sessionStorage.getItem(key(form)) ?? "{}");
  for (const it of refused ? [] : fields(form)) {
    if (it.type === "radio") it.checked ||= it.value === words[it.name];
    else if (it.type === "checkbox") it.checked = keep ? words[`${it.name} ${it.value}`] ?? it.checked : it.checked;
    else if ((keep || !it.value) && words[it.name]) it.value = words[it.name];
  }
  if (!refused && Object.keys(words).length && form.closest("details")) form.closest("details").open = true;
  form.addEventListener("input", () => sessionStorage.setItem(key(form), JSON.stringify(
    Object.fromEntries(fields(form).filter((it) => it.type !== "radio" || it.checked)
      .map((it) => (it.type === "checkbox" ? [`${it.name} ${it.value}`, it.checked] : [it.name, it.value]))))));
  form.addEventListener("submit", () => sessionStorage.setItem(SENT, key(form)));
}
document.querySelector("form[action='/console/logout']")?.addEventListener("submit", () =>
  Object.keys(sessionStorage).filter((it) => it.startsWith(ALL))
    .forEach((it) => sessionStorage.removeItem(it)));
