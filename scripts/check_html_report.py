"""Opens HTML reports in a headless browser, holds each against what a report must be, and takes pictures of it.

  check_html_report.py --browser PATH [--pictures OUTDIR] REPORT.html…

At a phone's width and a desktop's, in light and in dark: nothing on the console, no request but the page itself, nothing
wider than the window, every chart drawn with a title and a description; no text of a chart outside of it, on another text
or on a line of the grid; tables that scroll say so on a phone, and the buttons over the samples choose rows. With all
folds closed the page is at most 8000 pixels tall on a desktop. Then on paper.
scripts/check_html_report.sh finds a browser and calls this. Exit code 0 where all holds, 1 where something does not.
"""

import argparse
import pathlib
import sys

from playwright.sync_api import sync_playwright

WIDTHS = {"phone": (390, 844), "desktop": (1280, 800)}
TALLEST = 8000

# Runs in the page; answers one line for each thing that is wrong.
INSPECTION = """() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth)
    found.push(`the page is ${root.scrollWidth} px wide in a window of ${root.clientWidth} px`);
  const charts = [...document.querySelectorAll('svg')];
  for (const chart of charts) {
    const names = (chart.getAttribute('aria-labelledby') || '').split(' ');
    const texts = names.map(name => document.getElementById(name)?.textContent ?? '');
    if (chart.getAttribute('role') !== 'img' || texts.length !== 2 || texts.some(text => !text))
      found.push(`a chart without a role, a title or a description: ${names}`);
    const frame = chart.getBoundingClientRect();
    if (frame.width === 0) continue;
    if (frame.height < 20) found.push(`${names[0]}: only ${frame.height} px high`);
    for (const text of chart.querySelectorAll('text')) {
      const box = text.getBoundingClientRect();
      if (box.left < frame.left - 2 || box.right > frame.right + 2)
        found.push(`${names[0]}: "${text.textContent}" reaches out of its chart`);
    }
    // A pixel at each edge of a box is the font's and not the letters'.
    const labels = [...chart.querySelectorAll('text')].filter(text => text.textContent.trim());
    const boxes = labels.map(text => text.getBoundingClientRect());
    const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    const grid = [...chart.querySelectorAll('path.grid')].map(line => line.getBoundingClientRect());
    labels.forEach((text, place) => {
      for (let other = place + 1; other < labels.length; other++)
        if (meet(boxes[place], boxes[other]))
          found.push(`${names[0]}: "${text.textContent}" lies on "${labels[other].textContent}"`);
      // A name on a bar has the bar between it and the grid.
      if (text.classList.contains('on')) return;
      const { left, right, top, bottom } = boxes[place];
      for (const line of grid)
        if (left + 1 < line.right && line.left < right - 1 && top + 2 < line.bottom && line.top < bottom - 2)
          found.push(`${names[0]}: a line of the grid goes through "${text.textContent}"`);
    });
    const size = parseFloat(getComputedStyle(chart.querySelector('text')).fontSize);
    const shown = size * frame.width / chart.viewBox.baseVal.width;
    if (shown < 9) found.push(`${names[0]}: text of ${shown.toFixed(1)} px`);
  }
  for (const box of document.querySelectorAll('.scroll'))
    if (box.scrollWidth > box.clientWidth + 1 && root.clientWidth < 640
      && !getComputedStyle(box, '::before').content.includes('scroll'))
      found.push(`a table scrolls and does not say so: ${box.getAttribute('aria-label')}`);
  for (const element of document.querySelectorAll('a[href^="#"]'))
    if (!document.getElementById(element.getAttribute('href').slice(1)))
      found.push(`a link to nowhere: ${element.getAttribute('href')}`);
  const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place)))
    found.push(`two elements are called ${id}`);
  if (!document.querySelector('h1')) found.push('no h1');
  return found;
}"""


# Chooses every button over the samples, one column at a time; answers a line for each that shows all rows or none.
CHOICES = """() => {
  const found = [];
  for (const box of document.querySelectorAll('.choice')) {
    const rows = [...box.querySelectorAll('tbody tr')];
    const shown = () => rows.filter(row => getComputedStyle(row).display !== 'none').length;
    for (const column of box.querySelectorAll('fieldset')) {
      const [all, ...choices] = column.querySelectorAll('input');
      let sum = 0;
      for (const choice of choices) {
        choice.click();
        sum += shown();
        if (!shown()) found.push(`no row is left of "${choice.parentElement.textContent}"`);
      }
      all.click();
      if (sum !== rows.length || shown() !== rows.length)
        found.push(`the buttons of "${column.querySelector('legend').textContent}" show ${sum} of ${rows.length} rows`);
    }
  }
  return found;
}"""


def inspect(browser, page_url, width, height, scheme, picture):
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    problems = []
    page.on("console", lambda message: problems.append(f"console, {message.type}: {message.text}"))
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on(
        "request",
        lambda request: None
        if request.url == page_url or request.url.startswith("data:")
        else problems.append(f"request: {request.url}"),
    )
    page.goto(page_url, wait_until="load")
    problems += page.evaluate(INSPECTION)
    if width == WIDTHS["desktop"][0]:
        tall = page.evaluate(
            "() => { document.querySelectorAll('details').forEach(one => { one.open = false; });"
            " return document.documentElement.scrollHeight; }"
        )
        problems += [f"the page is {tall} px tall, expected {TALLEST} at most"] if tall > TALLEST else []
    if picture:
        page.screenshot(path=f"{picture}-first-screen.png")
        page.screenshot(path=f"{picture}.png", full_page=True)
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
    problems += [f"all opened: {problem}" for problem in page.evaluate(INSPECTION) + page.evaluate(CHOICES)]
    context.close()
    return problems


def print_to_paper(browser, page_url, file):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(page_url, wait_until="load")
    page.emulate_media(media="print")
    background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    if file:
        page.pdf(path=file, format="A4", margin=dict.fromkeys(("top", "right", "bottom", "left"), "12mm"))
    context.close()
    return [] if background == "rgb(255, 255, 255)" else [f"on paper the background is {background}"]


def check(browser, report, folder):
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    page_url = report.resolve().as_uri()
    problems = []
    for name, (width, height) in WIDTHS.items():
        for scheme in ("light", "dark"):
            picture = folder and folder / f"{name}-{scheme}"
            found = inspect(browser, page_url, width, height, scheme, picture)
            problems += [f"{name}, {scheme}: {problem}" for problem in found]
    return problems + print_to_paper(browser, page_url, folder and str(folder / "paper.pdf"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browser", required=True, help="the browser's program")
    parser.add_argument("--pictures", type=pathlib.Path, metavar="OUTDIR", help="the folder that gets the pictures")
    parser.add_argument("reports", type=pathlib.Path, nargs="+", metavar="REPORT.html")
    arguments = parser.parse_args()
    for report in arguments.reports:
        if not report.is_file():
            sys.exit(f"{report}: no such file, expected an HTML report")
    problems = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.browser, args=["--no-sandbox"])
        print(f"Chromium {browser.version}")
        for report in arguments.reports:
            folder = arguments.pictures and arguments.pictures / report.stem
            found = check(browser, report, folder)
            print(f"{report}, {report.stat().st_size} bytes: {'as it must be' if not found else len(found)}")
            problems += [f"{report}: {problem}" for problem in found]
        browser.close()
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
