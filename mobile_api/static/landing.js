// The tracking form of the poster's page. Whatever comes from the server is set as text, never as markup.
'use strict';

const form = document.getElementById('track-form');
const result = document.getElementById('result');
const button = form.querySelector('button');
const LONGEST_WAIT_MS = 30000;
// Until this runs, the form would send the secret code in an address.
form.hidden = false;
document.getElementById('without-script').hidden = true;

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function moment(at) {
  return new Date(at).toLocaleString('zh-CN', { timeZone: 'Asia/Shanghai', dateStyle: 'medium', timeStyle: 'short' });
}

function step(told) {
  const item = element('li', told.label);
  item.prepend(Object.assign(element('time', moment(told.at)), { dateTime: told.at }));
  for (const words of Object.values(told.texts)) if (words) item.append(element('p', words, 'words'));
  return item;
}

// A phone's keypad of digits has no hyphen, and Chinese keyboards type full-width digits.
function reference(typed) {
  const digits = typed.normalize('NFKC').replace(/\D/g, '');
  return digits.length === 20 ? `${digits.slice(0, 6)}-${digits.slice(6, 12)}-${digits.slice(12)}` : typed.trim();
}

function refusal(status, told) {
  if (status === 422) return '请核对：编号是 20 位数字，查询码是 8 位字母和数字。';
  return status === 404 ? '没有查到。请对照短信，核对编号和查询码。' : told.detail;
}

function show(story) {
  const steps = document.createElement('ol');
  steps.append(...story.timeline.map(step).reverse());
  const where = story.outcome ? `${story.phase_label}：${story.outcome}` : `${story.phase_label}，现在由${story.holder}办理`;
  result.replaceChildren(element('h3', story.title), element('p', where), steps);
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  button.textContent = '正在查询…';
  result.replaceChildren();
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), LONGEST_WAIT_MS);
  try {
    const answer = await fetch('/m/v1/track', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ref: reference(form.ref.value), code: form.code.value }),
      signal: patience.signal,
    });
    const told = await answer.json();
    if (answer.ok) show(told);
    else result.replaceChildren(element('p', refusal(answer.status, told), 'wrong'));
  } catch {
    result.replaceChildren(element('p', '网络不通，请稍后再试。', 'wrong'));
  } finally {
    clearTimeout(timer);
    button.disabled = false;
    button.textContent = '查询';
    result.scrollIntoView({ block: result.offsetHeight > innerHeight / 2 ? 'start' : 'nearest' });
  }
});
