import Record

/// The record as one page for a browser, which needs no network, no script and no font: the answer first, charts, every
/// figure, every raw sample on demand. Its markup is well-formed XML as well as HTML.
public struct HTMLReport: Sendable {
  public let text: String

  public init(_ record: Record) { self.init(RunFigures(record)) }

  init(_ run: RunFigures) {
    let context = PageContext(run)
    let (headlines, report) = (Headline.all(run, profiles: context.profiles), context.report)
    let sections = [
      context.ladders(headlines), context.quality(headlines), context.phases, context.rooflines,
      context.course, context.memory,
      report.everyCell(folds: true), report.counters, report.correctness, report.conditions,
      context.samples,
      report.machine,
      report.method,
    ].compactMap { $0 }
    let links: [Markup] = sections.map { .element("a", ["href": "#\($0.id)"], text: $0.title) }
    let contents = Markup.element("nav", ["aria-label": "contents"], links)
    let body: [Markup] = [
      context.opening(headlines), .element("main", [:], [contents] + sections.map(\.markup)),
      .element(
        "footer",
        text:
          "Made by gpt2-bench \(run.record.build.version) from the run's record; 'gpt2-bench report RECORD --format html' "
          + "makes it again."),
    ]
    text = Markup.document(
      .element(
        "html", ["lang": "en", "xmlns": "http://www.w3.org/1999/xhtml"],
        [.element("head", [:], Self.head(context)), .element("body", [:], body)]))
  }

  /// The policy forbids whatever the page does not need: even markup that got in could fetch and run nothing.
  private static func head(_ context: PageContext) -> [Markup] {
    [
      .void("meta", ["charset": "utf-8"]),
      .void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
      .void("meta", ["name": "color-scheme", "content": "light dark"]),
      .void(
        "meta",
        [
          "http-equiv": "Content-Security-Policy",
          "content": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        ]),
      .void("link", ["rel": "icon", "href": "data:,"]),
      .element("title", text: "gpt2-bench: \(context.report.title.plain)"),
      .style(PageStyle.css, Theme.styleSheet, Choice.rules(context.sampleChoices)),
    ]
  }
}

/// What the sections of a page share: the figures, and one look and one name for each contestant.
struct PageContext {
  let report: RunReport
  let profiles: [ProfileFigures]
  private let styles: [MeasuredVariant: SeriesStyle]
  private let namesWeights: Bool

  init(_ run: RunFigures) {
    let record = run.record
    report = RunReport(run)
    profiles = ProfileFigures.all(record)
    let contestants = (run.rows.map(\.contestant) + profiles.map(\.contestant)).uniqued()
    styles = Dictionary(uniqueKeysWithValues: contestants.enumerated().map { ($1, SeriesStyle(index: $0)) })
    namesWeights = Set(contestants.map(\.weights)).count > 1
  }

  var run: RunFigures { report.run }
  var record: Record { report.record }
  var validity: Validity { report.validity }
  /// Most threads first: the fastest are among them as a rule.
  var ceilings: [Ceiling] { record.ceilings.sorted { $0.threads > $1.threads } }

  func style(of contestant: MeasuredVariant) -> SeriesStyle { styles[contestant] ?? SeriesStyle(index: 0) }

  /// `packed, 2 threads`; the weights' precision too where the run has several and the name does not say it.
  func name(of contestant: MeasuredVariant) -> String {
    let isSaid = !namesWeights || ["", contestant.variant].contains(contestant.weights)
    let weights = isSaid ? "" : ", \(contestant.weights)"
    return "\(contestant.variant)\(weights), \(counted(contestant.threads, "thread"))"
  }

  /// Shorter before longer, and the fastest first.
  var stages: [ProfiledStage] {
    ProfiledStage.all(
      profiles.sorted { ($0.profile.tokens, $0.wallNanoseconds) < ($1.profile.tokens, $1.wallNanoseconds) })
  }
}
