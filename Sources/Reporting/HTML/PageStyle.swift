import Foundation

/// The colours of the page, for light and for dark surroundings. Charts name them by CSS variables.
struct Theme: Sendable {
  let background: Color
  let surface: Color
  let text: Color
  let muted: Color
  /// Of grids and borders; carries no meaning.
  let line: Color
  let accent: Color
  let good: Color
  let bad: Color
  let warning: Color
  /// Of contestants, told apart by people who see fewer colours too; markers say the same.
  let series: [Color]
  /// Of groups of phases: pale where the contestants' are strong, so that none is taken for one of them. Names stand on
  /// them in the colour of text.
  let phases: [Color]

  static let light = Theme(
    background: Color(0xFFFFFF), surface: Color(0xF5F7FA), text: Color(0x1B2128), muted: Color(0x57606B),
    line: Color(0xD5DAE1), accent: Color(0x0B5CAD), good: Color(0x146C3B), bad: Color(0xB3261E),
    warning: Color(0x8A5300),
    series: [
      Color(0x0069B4), Color(0xC04A00), Color(0x007A5E), Color(0xB0308A), Color(0x5E4B00), Color(0x00809E),
      Color(0x4B35B5), Color(0x4A4F57),
    ],
    phases: [
      Color(0xF6CF7A), Color(0xBBD9A2), Color(0xF0B3A2), Color(0xC9C3E6), Color(0xE3D3B4), Color(0xA9DDD3),
      Color(0xD3D8DF),
    ])

  static let dark = Theme(
    background: Color(0x0F1317), surface: Color(0x181D23), text: Color(0xE7EBF0), muted: Color(0x9EA8B3),
    line: Color(0x323A44), accent: Color(0x79B8FF), good: Color(0x63C98B), bad: Color(0xFF8A80),
    warning: Color(0xF0B84D),
    series: [
      Color(0x4FA3F0), Color(0xFF8A4C), Color(0x2FC79A), Color(0xF08AC8), Color(0xEBD04A), Color(0x9BE8FF),
      Color(0x8F7BFF), Color(0xC4CAD2),
    ],
    phases: [
      Color(0x77590F), Color(0x3F5F2A), Color(0x7B3A2E), Color(0x514B80), Color(0x5E5132), Color(0x1F5E57),
      Color(0x454C56),
    ])

  var css: String {
    let named = [
      ("bg", background), ("surface", surface), ("text", text), ("muted", muted), ("line", line),
      ("accent", accent), ("good", good), ("bad", bad), ("warning", warning),
    ]
    let numbered = series.enumerated().map { ("s\($0)", $1) } + phases.enumerated().map { ("p\($0)", $1) }
    return (named + numbered).map { "--\($0): \($1.hex);" }
      .joined(separator: " ")
  }

  /// Dark on a screen that prefers it, else light; classes `s0`, `s1` … set a contestant's colour for what is
  /// inside, and `p0`, `p1` … a phase's.
  static let styleSheet = CSS(
    source: """
      :root { \(light.css) }
      @media screen and (prefers-color-scheme: dark) { :root { \(dark.css) } }
      \(light.series.indices.map { ".s\($0) { --c: var(--s\($0)); }" }.joined(separator: " "))
      \(light.phases.indices.map { ".p\($0) { --c: var(--p\($0)); }" }.joined(separator: " "))
      """)
}

struct Color: Sendable, Equatable {
  /// 0xRRGGBB
  let rgb: UInt32

  init(_ rgb: UInt32) { self.rgb = rgb }

  var hex: String { "#" + String(format: "%06x", rgb) }
}

enum PageStyle {
  static let css: StaticString = """
    * { box-sizing: border-box; }
    html { color-scheme: light dark; -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
    body { margin: 0; background: var(--bg); color: var(--text);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
    main, header, footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
    header { padding-top: 1.25rem; }
    h1 { font-size: 1rem; font-weight: 600; color: var(--muted); margin: 0 0 .5rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.35rem; line-height: 1.25; margin: 2.75rem 0 .75rem; padding-top: .9rem;
      border-top: 1px solid var(--line); }
    h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
    p, ul { margin: .5rem 0; max-width: 72ch; overflow-wrap: anywhere; }
    ul { padding-left: 1.2rem; }
    a { color: var(--accent); }
    code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
    .answer { font-size: clamp(1.45rem, 4.2vw, 2.15rem); line-height: 1.2; font-weight: 650; margin: 0 0 1rem;
      max-width: 34em; letter-spacing: -.01em; text-wrap: balance; }
    .answer code { font: inherit; color: var(--accent); }
    .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
    .card { background: var(--surface); border: 1px solid var(--line); border-radius: .6rem;
      padding: .9rem 1.1rem 1rem; min-width: 0; }
    .card h2 { all: unset; display: block; font-size: .9rem; color: var(--muted); font-weight: 600; }
    .card .who { font-weight: 650; font-size: 1.1rem; margin: .1rem 0 0; }
    .card .speed { margin: 0; font-size: clamp(1.5rem, 5.5vw, 1.9rem); font-weight: 650; line-height: 1.2;
      font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
    .card .speed small { font-size: .95rem; font-weight: 400; color: var(--muted); letter-spacing: 0; }
    .card .speed ~ p { margin: .4rem 0 0; }
    .facts { display: flex; flex-wrap: wrap; gap: .15rem 1.4rem; list-style: none; padding: 0; max-width: none;
      color: var(--muted); font-size: .93rem; margin: 1rem 0 0; }
    .facts b { font-weight: 600; color: var(--text); }
    .notice { border-left: .3rem solid var(--warning); background: var(--surface); padding: .5rem .9rem;
      margin: .75rem 0 0; border-radius: 0 .4rem .4rem 0; }
    .notice.bad { border-color: var(--bad); }
    .notice p { margin: .15rem 0; max-width: none; }
    .notice b { color: var(--warning); }
    .notice.bad b { color: var(--bad); }
    .good { color: var(--good); }
    .fail { color: var(--bad); font-weight: 600; }
    nav { margin: 1rem 0 0; font-size: .93rem; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr));
      gap: 1rem 2rem; align-items: start; }
    figure { margin: .5rem 0 1rem; min-width: 0; max-width: 38rem; break-inside: avoid; }
    svg { display: block; }
    svg.wide { display: none; }
    @media screen and (min-width: 62rem) {
      .charts { grid-template-columns: repeat(3, 1fr); }
      .charts.half { grid-template-columns: repeat(2, 1fr); }
      .charts.whole { grid-template-columns: 1fr; }
      figure { max-width: none; }
      svg.wide { display: block; }
      svg.narrow { display: none; }
    }
    figcaption { font-weight: 600; margin-bottom: .35rem; }
    figcaption small { display: block; font-weight: 400; color: var(--muted); font-size: .88rem; }
    svg { width: 100%; height: auto; overflow: visible; }
    svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
      fill: var(--text); font-variant-numeric: tabular-nums; }
    svg .muted { fill: var(--muted); }
    svg .name { font-weight: 600; }
    svg .small { font-size: 11px; }
    svg .grid { stroke: var(--line); stroke-width: 1; fill: none; }
    svg .axis { stroke: var(--muted); stroke-width: 1; fill: none; }
    svg .fill { fill: var(--c); }
    svg .stroke { stroke: var(--c); stroke-width: 2; fill: none; stroke-linejoin: round; }
    svg .mark { fill: var(--c); stroke: var(--bg); stroke-width: 1; }
    svg .open { fill: var(--bg); stroke: var(--c); stroke-width: 1.8; }
    svg .tick { stroke: var(--c); stroke-width: 1; stroke-opacity: .45; }
    svg .better { --c: var(--good); } svg .worse { --c: var(--bad); } svg .same { --c: var(--muted); }
    svg .whisker { stroke: var(--text); stroke-width: 1.6; fill: none; }
    svg .halo { stroke: var(--bg); stroke-width: 4; fill: none; }
    svg .roof { stroke: var(--text); stroke-width: 1.6; fill: none; }
    svg .slope { stroke: var(--muted); stroke-width: 1.4; fill: none; }
    svg .phase { fill: var(--c); stroke: var(--muted); stroke-width: .5; }
    svg .plain { fill: var(--surface); stroke: var(--muted); stroke-width: 1; }
    svg .on { font-size: 11px; }
    svg .backed { paint-order: stroke; stroke: var(--bg); stroke-width: 3px; stroke-linejoin: round; }
    .scroll { overflow-x: auto; max-width: 100%; margin: .6rem 0; -webkit-overflow-scrolling: touch;
      background: linear-gradient(to right, var(--bg) 40%, transparent) left / 3rem 100% local no-repeat,
        linear-gradient(to left, var(--bg) 40%, transparent) right / 3rem 100% local no-repeat,
        linear-gradient(to right, var(--line), transparent) left / 1.1rem 100% scroll no-repeat,
        linear-gradient(to left, var(--line), transparent) right / 1.1rem 100% scroll no-repeat; }
    @media screen and (max-width: 40rem) {
      .wide-table::before { content: "scrolls sideways →"; position: sticky; left: 0; display: block;
        width: max-content; color: var(--muted); font-size: .85rem; }
    }
    table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
    th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top;
      white-space: nowrap; }
    tbody th { font-weight: 600; position: sticky; left: 0; background: var(--bg); }
    thead th { color: var(--muted); font-weight: 600; vertical-align: bottom; white-space: normal; min-width: 4.5em; }
    .r { text-align: right; } .l { text-align: left; }
    td.l:last-child, .prose td { white-space: normal; min-width: 12em; }
    details { margin: .6rem 0; }
    summary { cursor: pointer; color: var(--accent); }
    pre { overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: .4rem;
      padding: .6rem .8rem; margin: .6rem 0; font-size: .85rem; line-height: 1.45; }
    .choice fieldset { border: 0; padding: 0; margin: .4rem 0; display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
    .choice legend { float: left; padding: 0; margin-right: 1rem; color: var(--muted); }
    .choice input { margin: 0 .35rem 0 0; accent-color: var(--accent); }
    .choice .scroll { max-height: 32rem; overflow: auto; }
    .choice thead th { position: sticky; top: 0; background: var(--bg); z-index: 1; }
    .choice td.l:last-child { min-width: 24em; font-size: .85rem; }
    blockquote { margin: .6rem 0; padding-left: .9rem; border-left: .25rem solid var(--line); }
    .note { color: var(--muted); font-size: .93rem; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    footer { color: var(--muted); font-size: .88rem; padding-top: 2rem; padding-bottom: 2.5rem; }
    @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
    @media print {
      html { color-scheme: light; }
      body { font-size: 10.5pt; }
      nav { display: none; }
      main, header, footer { max-width: none; padding: 0; }
      h2, h3, summary { break-after: avoid; }
      .card, .notice, tr { break-inside: avoid; }
      .charts, .cards { grid-template-columns: 1fr 1fr; }
      .scroll { background: none; }
      .choice fieldset { display: none; }
      .scroll, pre { overflow: visible; }
      pre { white-space: pre-wrap; overflow-wrap: anywhere; }
      table { font-size: 7.5pt; }
      th, td { padding: .15rem .3rem; white-space: normal; }
      details:not([open]) { display: none; }
    }
    """
}
