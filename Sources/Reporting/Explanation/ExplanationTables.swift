import Record

/// A line of the tables: a part, or both profiles as a whole.
private struct ExplanationRow: Sendable {
  let explanation: Explanation
  /// Nil for the whole.
  var part: ExplainedPart?
  /// Nanoseconds of the change from the amount of work, and from its rate; nil where nothing is attributed.
  var work, rate: Double?

  static func parts(_ explanation: Explanation) -> [Self] {
    explanation.parts.map { part in
      let split = explanation.isDecided ? part.split : nil
      return Self(explanation: explanation, part: part, work: split?.work, rate: split?.rate)
    }
  }

  var from: Double { part?.from.nanoseconds ?? explanation.from.nanoseconds }
  var to: Double { part?.to.nanoseconds ?? explanation.to.nanoseconds }
  var change: Double { part?.change ?? explanation.change }
  /// Nil where nothing is attributed.
  var share: Double? { explanation.share(change) }
  /// Nil where there is no work to count.
  var amounts: (from: WorkAmount, to: WorkAmount)? {
    part.flatMap { $0.split == nil ? nil : ($0.from, $0.to) }
  }

  /// Phases joined by `+`, `pool-wait` or `unexplained`; `total` for the whole.
  var word: String {
    switch part?.source {
    case .phases(let phases): phases.map(\.rawValue).joined(separator: "+")
    case .poolWait: "pool-wait"
    case .unexplained: "unexplained"
    case nil: "total"
    }
  }

  var json: JSONValue {
    let numbers = [
      "fromNanoseconds": from, "toNanoseconds": to, "changeNanoseconds": change, "share": share,
      "byWorkNanoseconds": work, "byRateNanoseconds": rate, "fromFlops": amounts?.from.flops,
      "toFlops": amounts?.to.flops, "fromBytes": amounts?.from.bytes, "toBytes": amounts?.to.bytes,
    ].compactMapValues { $0.map(JSONValue.number) }
    return .object(numbers.merging(["part": .string(word)]) { $1 })
  }
}

// Of one pass; times are in nanoseconds.
extension Column where Row == ExplanationRow {
  private static func from(_ name: Prose) -> Self { Self(name, key: "from_ns_per_pass", .number { $0.from }) }
  private static func to(_ name: Prose) -> Self { Self(name, key: "to_ns_per_pass", .number { $0.to }) }
  private static var change: Self { Self("change", key: "change_ns_per_pass", .number { $0.change }) }
  private static var share: Self {
    Self("share %", key: "share_percent", style: .decimals(1), .number { row in row.share.map { 100 * $0 } })
  }
  private static var work: Self { Self("by work", key: "by_work_ns_per_pass", .number { $0.work }) }
  private static var rate: Self { Self("by rate", key: "by_rate_ns_per_pass", .number { $0.rate }) }

  /// For people.
  static func table(of explanation: Explanation) -> [Self] {
    let scale = explanation.scale
    let change = Style.time(scale, isChange: true)
    // How many times as much the second side has; empty where one has nothing.
    func ratio(_ heading: Prose, _ amount: @escaping @Sendable (WorkAmount) -> Double) -> Self {
      Self(
        heading, style: .significant(3),
        .number { row in
          guard let part = row.part, amount(part.from) > 0, amount(part.to) > 0 else { return nil }
          return amount(part.to) / amount(part.from)
        })
    }
    return [
      Self(
        "\(scale.unit) per \(explanation.to.profile.passWord)",
        .prose { $0.part.map { Prose($0.name) } ?? "**in all**" }),
      from(Prose(explanation.from.name)).styled(.time(scale)),
      to(Prose(explanation.to.name)).styled(.time(scale)), Self.change.styled(change), share,
      work.styled(change), rate.styled(change), ratio("FLOPs, ×") { $0.flops },
      ratio("bytes, ×") { $0.bytes },
    ]
  }

  /// For programs.
  static var csv: [Self] {
    let subject: [Self] = [
      Self("from", .text { $0.explanation.from.name }), Self("to", .text { $0.explanation.to.name }),
      Self("stage", .text { $0.explanation.to.profile.stage.rawValue }),
      Self("tokens", .integer { $0.explanation.to.profile.tokens }), Self("part", .text { $0.word }),
      Self("outcome", .text { $0.explanation.outcome.word }),
    ]
    let figures: [Self] = [
      from(""), to(""), change, share, work, rate,
      Self("from_flop_per_pass", .number { $0.amounts?.from.flops }),
      Self("to_flop_per_pass", .number { $0.amounts?.to.flops }),
      Self("from_bytes_per_pass", .number { $0.amounts?.from.bytes }),
      Self("to_bytes_per_pass", .number { $0.amounts?.to.bytes }),
      Self("ratio", .number { $0.part == nil ? $0.explanation.ratio : nil }),
      Self("ratio_of_medians", .figure { $0.part == nil ? $0.explanation.medians : nil }),
    ]
    return subject + figures
  }
}

extension Explanation {
  /// For people, as Markdown without a heading: the headline, what changed most, every part, how to read it.
  public var markdown: String { blocks.markdown + "\n" }

  var blocks: [Block] {
    let whole = ExplanationRow(
      explanation: self, work: isDecided ? parts.compactMap(\.split?.work).reduce(0, +) : nil,
      rate: isDecided ? parts.compactMap(\.split?.rate).reduce(0, +) : nil)
    return [
      .paragraph("**\(headline)**" + (largestSentence.map { " \($0)" } ?? "")),
      .table(Table(Column.table(of: self), ExplanationRow.parts(self) + [whole])),
      .list(notes.map { Prose($0) }),
    ]
  }

  /// For a terminal of `width` columns: the headline, then a waterfall from the one side's time to the other's. With
  /// `colour` the largest part is bold (ANSI escapes).
  public func text(colour: Bool, width: Int = 100) -> String {
    let blocks = [
      headline.wrapped(to: width, indent: 0), isDecided ? waterfall(colour: colour, width: width) : "",
      ([largestSentence].compactMap { $0 } + notes).map { $0.wrapped(to: width) }.joined(separator: "\n"),
    ]
    return blocks.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  private func waterfall(colour: Bool, width: Int) -> String {
    func total(_ side: NamedProfile, of top: Double) -> [Table.Entry] {
      [
        .init(side.name), .init(scale.text(side.nanoseconds)), .init(""), .init(""), .init(""),
        .init(.span(from: 0, to: side.nanoseconds / top, grows: false)),
      ]
    }
    let headings: [Table.Heading] = [
      .short("", "", .left, canShorten: true), .short("time", scale.unit), .short("share", "%"),
      .short("by work", scale.unit, rank: 2), .short("by rate", scale.unit, rank: 1), .short("", "", .left),
    ]
    let steps = WaterfallStep.all(of: self)
    let top = steps.reduce(max(from.nanoseconds, to.nanoseconds)) { max($0, $1.before, $1.after) }
    let lines = steps.map { step -> [Table.Entry] in
      let isLargest = step.name == largestPart?.name
      return [
        .init("  " + step.name, isBold: isLargest),
        .init(scale.signed(step.after - step.before), isBold: isLargest),
        .init(share(step.after - step.before).map(NumberText.percentValue) ?? "", isBold: isLargest),
        .init(step.work.map(scale.signed) ?? ""), .init(step.rate.map(scale.signed) ?? ""),
        .init(.span(from: step.before / top, to: step.after / top, grows: step.after > step.before)),
      ]
    }
    let rows = [total(from, of: top)] + lines + [total(to, of: top)]
    return Table(headings, rows: rows).terminal(colour: colour, width: width)
  }
}

/// One step of the way from one side's time to the other's.
struct WaterfallStep {
  let name: String
  /// Nanoseconds of a pass before the step and after it.
  let before, after: Double
  let work, rate: Double?
  /// Parts below this share of the largest change are one step together.
  private static let smallestShare = 0.005

  /// The largest change first, and what is small last, in one.
  static func all(of explanation: Explanation) -> [WaterfallStep] {
    let largest = explanation.parts.map { abs($0.change) }.max() ?? 0
    let parts = explanation.parts.filter { $0.change != 0 }
    let shown = parts.filter { abs($0.change) >= smallestShare * largest }
      .sorted { abs($0.change) > abs($1.change) }
    let small = parts.filter { abs($0.change) < smallestShare * largest }
    var level = explanation.from.nanoseconds
    func step(_ name: String, _ parts: [ExplainedPart]) -> WaterfallStep {
      let before = level
      level += parts.reduce(0) { $0 + $1.change }
      let splits = parts.compactMap(\.split)
      return WaterfallStep(
        name: name, before: before, after: level,
        work: splits.isEmpty ? nil : splits.reduce(0) { $0 + $1.work },
        rate: splits.isEmpty ? nil : splits.reduce(0) { $0 + $1.rate })
    }
    let steps = shown.map { step($0.name, [$0]) }
    guard let only = small.first else { return steps }
    return steps + [step(small.count == 1 ? only.name : "\(small.count) smaller parts", small)]
  }
}

public enum ExplanationFiles {
  /// One row a part of a pass, then one for the whole pass; RFC 4180. Empty where there is no figure and where nothing
  /// is attributed. Below zero is time that the second side saves.
  public static func csv(_ explanations: [Explanation]) -> String {
    CSV.text(
      Column.csv, explanations.flatMap { ExplanationRow.parts($0) + [ExplanationRow(explanation: $0)] })
  }

  /// Indented, keys sorted; a key without a value is left out. Times are in nanoseconds and, as the work is, of one
  /// pass; shares are fractions. Throws an `EncodingError` for a number that is not finite.
  public static func json(_ explanations: [Explanation]) throws -> String {
    try jsonText(["schema": JSONValue.integer(1), "explanations": .array(explanations.map(\.json))])
  }
}

extension Explanation {
  fileprivate var json: JSONValue {
    .object(known: [
      "from": from.json, "to": to.json, "stage": .string(to.profile.stage.rawValue),
      "tokens": .integer(to.profile.tokens), "outcome": .string(outcome.word),
      "undecidedBecause": outcome.reason.map(JSONValue.string), "ratio": .number(ratio),
      "ratioOfMedians": medians.map { .number($0.value) },
      "ratioOfMediansLow": medians?.interval.map { .number($0.lower) },
      "ratioOfMediansHigh": medians?.interval.map { .number($0.upper) },
      "noiseFloor": noiseFloor.map(JSONValue.number), "headline": .string(headline),
      "parts": .array(ExplanationRow.parts(self).map(\.json)),
    ])
  }
}

extension Explanation.NamedProfile {
  fileprivate var json: JSONValue {
    .object([
      "name": .string(name), "variant": .string(profile.variant), "weights": .string(profile.weights),
      "threads": .integer(profile.threads), "nanosecondsPerPass": .number(nanoseconds),
      "passes": .integer(profile.passNanoseconds.count), "keptPasses": .integer(profile.keptPasses),
    ])
  }
}
