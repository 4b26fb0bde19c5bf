import Record

/// The record as one page for a browser: the answer first, charts, every figure, every raw sample on demand.
public struct HTMLReport: Sendable {
  public let text: String

  public init(_ record: Record) { self.init(RunFigures(record)) }

  init(_ run: RunFigures) {
    let context = PageContext(run)
    let (headlines, report) = (Headline.all(run, profiles: context.profiles), context.report)
    let sections: [Section?] = [
      context.ladders(headlines), context.quality(headlines), context.phases, context.rooflines,
      context.course, context.memory,
      report.everyCell(folds: true), report.counters, report.correctness, report.conditions,
      context.samples,
      report.machine,
      report.method,
    ]
    text =
      HTMLPage(
        title: report.title.plain, opening: context.opening(headlines),
        sections: sections.compactMap { $0 },
        footer:
          "Made by gpt2-bench \(run.record.build.version) from the run's record; 'gpt2-bench report RECORD --format html' "
          + "makes it again.", choices: context.sampleChoices
      ).text
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
