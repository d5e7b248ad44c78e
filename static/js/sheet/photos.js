// The photos that are on loan by the sheet, each with the questions that are asked of it. A question is open until something
// is said of it, here and at once, whatever the server knows yet. It knows no answer and no element.

import { about } from "./about.js";

export class Photos {
  #shelf;
  #byLease = new Map(); // lease of a question -> the task of its photo
  #closed = new Set(); // leases of questions that are open no more

  constructor({ shelf }) {
    this.#shelf = shelf;
  }

  /** What an earlier page has said, and not delivered yet. */
  markClosed(lease) {
    this.#closed.add(lease);
  }

  /** What the server says is on loan to us; says how many of the photos are new. */
  merge(told) {
    const tasks = [];
    for (const { photo, questions } of told) {
      const open = questions.filter(({ lease, project }) => !this.#closed.has(lease) && about(project));
      if (!open.length) continue;
      const known = open.map(({ lease }) => this.#byLease.get(lease)).find(Boolean);
      const task = known ?? { lease: open[0].lease, photo, questions: [] };
      for (const question of open) this.#ask(task, question);
      const until = open.map((question) => question.expires_at).sort()[0];
      tasks.push(known ? { lease: known.lease, expires_at: until } : Object.assign(task, { expires_at: until }));
    }
    return this.#shelf.merge(tasks);
  }

  close(question, said) {
    question.said = said;
    this.#closed.add(question.lease);
  }

  /** Questions of these leases are open again. Returns the task of their photo: `task`, or the one that a reload has made of it. */
  reopen(task, leases) {
    const live = task.questions.map(({ lease }) => this.#byLease.get(lease)).find(Boolean) ?? task;
    for (const lease of leases) {
      this.#closed.delete(lease);
      const question = task.questions.find((each) => each.lease === lease);
      Object.assign(question, { said: "", ms: 0, shownAt: null });
      this.#ask(live, question);
    }
    return live;
  }

  /** The server lent a question's photo again, perhaps under a new lease; says whether it is one of ours. */
  relent(oldLease, { lease, expires_at: until }) {
    const task = this.#byLease.get(oldLease);
    const question = task?.questions.find((each) => each.lease === oldLease);
    if (!question) return false;
    Object.assign(question, { lease, expires_at: until });
    this.#byLease.set(lease, task);
    return true;
  }

  question(lease) {
    return this.#byLease.get(lease)?.questions.find((each) => each.lease === lease) ?? null;
  }

  /** The question is among the task's, in the sheet's order. */
  #ask(task, question) {
    this.#byLease.set(question.lease, task);
    const there = task.questions.find((each) => each.project === question.project);
    if (there) {
      Object.assign(there, { lease: question.lease, expires_at: question.expires_at });
      return;
    }
    task.questions.push(Object.assign(question, { said: question.said ?? "", ms: question.ms ?? 0, shownAt: null }));
    task.questions.sort((one, other) => about(one.project).place - about(other.project).place);
  }
}
