// The phones' page: asks every second and a half, shows texts as text (never as HTML), keeps what is being typed.
"use strict";

const STATUS = { queued: "排队中", sent: "已发出", delivered: "已送达", undelivered: "未送达", failed: "发送失败" };
const QUICK = [["1", "满意"], ["2", "基本满意"], ["3", "不满意"]];
const PROVIDERS = { twilio: "Twilio", aliyun: "阿里云" };
const BAD = new Set(["undelivered", "failed"]);
const byId = (id) => document.getElementById(id);
const shown = new Map();
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" });

async function call(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

async function reply(number, text, button) {
  button.disabled = true;
  try {
    await call(`/phones/${encodeURIComponent(number)}/reply`, { text });
    await refresh();
    return true;
  } catch {
    byId("trouble").hidden = false;
    return false;
  } finally {
    button.disabled = false;
  }
}

function note(message) {
  if (message.direction === "out") {
    const code = message.error_code ? `（${message.error_code}）` : "";
    return [(STATUS[message.status] ?? message.status) + code, BAD.has(message.status)];
  }
  const status = message.webhook_status;
  if (status === null) return ["正在送往系统", false];
  return status >= 200 && status < 300 ? ["系统已收到", false] : [status ? `系统未接受（${status}）` : "系统未收到", true];
}

function bubble(message) {
  const item = document.createElement("li");
  item.className = message.direction;
  const text = document.createElement("div");
  text.className = "bubble";
  text.textContent = message.text;
  const below = document.createElement("span");
  const [words, bad] = note(message);
  below.className = bad ? "note bad" : "note";
  below.textContent = `${clock.format(new Date(message.at))} · ${words}`;
  if (message.template_code) {
    const template = document.createElement("span");
    template.textContent = `模板 ${message.template_code}`;
    below.append(template);
  }
  item.append(text, below);
  return item;
}

function readable(number) {
  return number.replace(/^\+86(1\d\d)(\d{4})(\d{4})$/, "$1 $2 $3");
}

function newPhone(number) {
  const phone = byId("phone").content.firstElementChild.cloneNode(true);
  phone.setAttribute("aria-label", `手机 ${readable(number)}`);
  phone.querySelector("h2").textContent = readable(number);
  for (const [text, meaning] of QUICK) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${text} ${meaning}`;
    button.addEventListener("click", () => reply(number, text, button));
    phone.querySelector(".quick").append(button);
  }
  phone.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = event.target.querySelector("input");
    if (await reply(number, field.value, event.target.querySelector("button"))) field.value = "";
  });
  byId("phones").prepend(phone);
  return { phone, seen: "", messages: [] };
}

function show(inbox) {
  if (!shown.has(inbox.number)) shown.set(inbox.number, newPhone(inbox.number));
  const entry = shown.get(inbox.number);
  const now = JSON.stringify(inbox);
  if (entry.seen === now) return;
  entry.seen = now;
  entry.phone.querySelector("h2").classList.toggle("left", inbox.opted_out);
  const list = entry.phone.querySelector("ol");
  const view = list.parentElement;
  const atEnd = view.scrollTop + view.clientHeight >= view.scrollHeight - 40;
  // What has not changed stays in place: a screen reader reads what is new, and only that.
  const messages = inbox.messages.map((message) => JSON.stringify(message));
  const kept = new Map(entry.messages.map((message, place) => [message, list.children[place]]));
  inbox.messages.forEach((message, place) => {
    const item = kept.get(messages[place]) ?? bubble(message);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  while (list.children.length > messages.length) list.lastElementChild.remove();
  entry.messages = messages;
  if (atEnd) view.scrollTop = view.scrollHeight;
}

async function refresh() {
  try {
    const phones = await call("/phones");
    const here = new Set(phones.map((phone) => phone.number));
    for (const [number, entry] of shown) {
      if (!here.has(number)) {
        entry.phone.remove();
        shown.delete(number);
      }
    }
    phones.reverse().forEach(show);
    byId("empty").hidden = phones.length > 0;
    byId("trouble").hidden = true;
  } catch {
    byId("trouble").hidden = false;
  }
}

let offered = [];

function showThen() {
  const chosen = offered[byId("behaviour").value];
  byId("then").textContent = chosen ? chosen.then : "按控制接口的设定。";
  document.body.classList.toggle("amiss", byId("behaviour").value !== "0");
}

byId("behaviour").addEventListener("change", async (event) => {
  try {
    await call("/control/behaviour", offered[event.target.value].behaviour);
  } catch {
    byId("trouble").hidden = false;
  }
  showThen();
});

async function showBehaviour() {
  offered = await call("/control/offered");
  const now = JSON.stringify(await call("/control/behaviour"));
  const place = offered.findIndex((one) => JSON.stringify(one.behaviour) === now);
  byId("behaviour").replaceChildren(...offered.map((one, number) => new Option(one.words, number)));
  if (place < 0) byId("behaviour").append(new Option("其他", "other"));
  byId("behaviour").value = place < 0 ? "other" : place;
  showThen();
}

byId("stranger").addEventListener("submit", async (event) => {
  event.preventDefault();
  const number = byId("number").value.trim();
  if (await reply(number.startsWith("+") ? number : `+86${number}`, byId("words").value, event.target.querySelector("button"))) byId("words").value = "";
});

async function showProvider() {
  const now = await call("/control/provider");
  byId("provider").textContent = `模拟的服务商：${PROVIDERS[now.provider] ?? now.provider} · ${now.two_way ? "可以回复" : "不能回复"} · ${now.free_text ? "任意内容" : "只发审核通过的模板"}`;
  byId("one-way").hidden = now.two_way;
  document.body.classList.toggle("one-way", !now.two_way);
}

async function keepRefreshing() {
  await refresh();
  setTimeout(keepRefreshing, 1500);
}

showProvider().catch(() => {});
showBehaviour().catch(() => {});
keepRefreshing();
