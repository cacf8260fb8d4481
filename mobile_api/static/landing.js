// The tracking form of the poster's page. Whatever comes from the server is set as text, never as markup.
'use strict';

const form = document.getElementById('track-form');
const result = document.getElementById('result');
const button = form.querySelector('button');

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

function show(story) {
  const steps = document.createElement('ol');
  steps.append(...story.timeline.map(step).reverse());
  const where = story.outcome ? `${story.phase_label}：${story.outcome}` : `${story.phase_label}，现在由${story.holder}办理`;
  result.replaceChildren(element('h3', story.title), element('p', where), steps);
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    const answer = await fetch('/m/v1/track', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ref: form.ref.value.trim(), code: form.code.value }),
    });
    const told = await answer.json();
    if (answer.ok) show(told);
    else result.replaceChildren(element('p', answer.status === 422 ? '请核对事件编号和查询码。' : told.detail, 'wrong'));
  } catch {
    result.replaceChildren(element('p', '网络不通，请稍后再试。', 'wrong'));
  } finally {
    button.disabled = false;
  }
});
