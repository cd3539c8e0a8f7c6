// What a script can make nicer. Every job works without it: nothing here sends, checks or hides anything that matters.
"use strict";

(() => {
  const announcer = document.createElement("div");

  /** Say something to screen readers without moving the focus. */
  const announce = (text) => announcer.replaceChildren(text);

  const selectText = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };

  const copy = async (element) => {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(element.textContent);
    } else {
      // The clipboard is there on https and loopback only; elsewhere the selection can be copied.
      selectText(element);
      document.execCommand("copy");
    }
  };

  const onCopy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    const word = button.querySelector("[data-copy-word]");
    try {
      await copy(source);
      word.textContent = "Copied";
      announce("Copied");
    } catch {
      selectText(source);
      word.textContent = "Selected";
      announce("Could not copy. The text is selected.");
    }
    window.setTimeout(() => {
      word.textContent = "Copy";
      announce("");
    }, 3000);
  };

  const day = new Intl.DateTimeFormat("en-US", { dateStyle: "medium" });
  const clock = new Intl.DateTimeFormat("en-US", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  /** Show a time in the reader's zone and keep UTC beside it, with its day where that is another. */
  const localize = (element) => {
    const moment = new Date(element.dateTime);
    if (element.dataset.localized || Number.isNaN(moment.getTime()) || moment.getTimezoneOffset() === 0) {
      return;
    }
    const utc = element.textContent;
    const beside = document.createElement("span");
    beside.className = "utc";
    beside.textContent = moment.getDate() === moment.getUTCDate() ? utc.slice(-"hh:mm UTC".length) : utc;
    element.dataset.localized = "yes";
    element.textContent = `${day.format(moment)}, ${clock.format(moment)}`;
    element.append(" ", beside);
  };

  /** Improve a page, or the part of one that htmx has just brought. */
  const improve = (root) => {
    root.querySelectorAll("[data-copy][hidden]").forEach((button) => button.removeAttribute("hidden"));
    root.querySelectorAll("time[datetime]").forEach(localize);
    root.querySelector("#error-summary[autofocus]")?.focus();
  };

  /** A second click on a slow button must not do the act twice. */
  const onSubmit = (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post") || event.submitter?.hasAttribute("hx-post")) {
      return;
    }
    if (form.getAttribute("aria-busy") === "true") {
      event.preventDefault();
    }
    form.setAttribute("aria-busy", "true");
  };

  let asking = null;

  /** Remember the focus in what will be replaced; what asks again and again does so only while somebody can see it. */
  const beforeRequest = (event) => {
    if (event.detail.target.contains(document.activeElement)) {
      asking = { element: event.detail.elt, id: document.activeElement.id };
    }
    if (document.hidden && event.detail.elt.matches("[data-while-visible]")) {
      event.preventDefault();
    }
  };

  /** A button that was replaced by its own answer had the focus, which would then begin again at the top of the page. */
  const afterSettle = (event) => {
    if (event.detail.requestConfig.elt !== asking?.element) {
      return;
    }
    announce(event.target.querySelector("[role='status']")?.textContent.trim() ?? "");
    if (document.activeElement === document.body) {
      event.target.setAttribute("tabindex", "-1");
      (document.getElementById(asking.id) ?? event.target).focus({ preventScroll: true });
    }
  };

  /** A mistake that is mended goes from its field, and from the summary at the top of the page. */
  const prune = () => {
    document.querySelectorAll("#error-summary li > a").forEach((link) => {
      if (!document.getElementById(link.hash.slice(1))?.matches("[aria-invalid], :has([aria-invalid])")) {
        link.closest("li").remove();
      }
    });
    document.querySelector("#error-summary:not(:has(li))")?.remove();
  };

  announcer.className = "screen-reader-text";
  announcer.setAttribute("role", "status");
  document.querySelector("main").append(announcer);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) onCopy(button);
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[aria-invalid]")) {
      event.target.removeAttribute("aria-invalid");
      document.getElementById(`${event.target.id}-error`)?.remove();
      prune();
    }
    const whole = document.querySelector(`[data-shows="${event.target.id}"]`);
    if (whole) {
      whole.firstChild.textContent = event.target.value;
      whole.hidden = event.target.value.length <= 24;
    }
  });
  document.addEventListener("submit", onSubmit);
  document.addEventListener("htmx:beforeRequest", beforeRequest);
  document.addEventListener("htmx:afterSettle", afterSettle);
  document.addEventListener("htmx:afterSettle", prune);
  document.addEventListener("htmx:load", (event) => improve(event.target));
  // A page that comes back from the browser's memory may be sent again, and shows no secret a second time.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && document.querySelector(".secret-box")) {
      window.location.reload();
    }
    document.querySelectorAll("form[aria-busy]").forEach((form) => form.removeAttribute("aria-busy"));
  });
  improve(document);
})();
