import Files
import Record
import Statistics

/// For a terminal: of each contestant and stage the phases as a tree with bars, the layers, the threads, and remarks.
public struct ProfileText: Sendable {
  public let text: String

  /// With `colour` the phase that takes most is bold; columns of lesser interest are left out until the tables fit. How
  /// it was measured is said where `isVerbose`.
  public init(_ record: Record, colour: Bool, width: Int = 100, isVerbose: Bool = true) {
    text = ProfileFigures.all(record).map { figures in
      let scale = TimeScale(longestNanoseconds: figures.wallNanoseconds)
      let layers = LayerLines(figures)
      let tables = [
        Table(Column.phases(scale), figures.tree), Table(Column.layers(scale), layers.rows),
        figures.threads(scale),
      ]
      let remarks = figures.remarks(scale, isVerbose: isVerbose) + [layers.remark].compactMap { $0 }
      let blocks =
        [figures.head(record.model, scale).wrapped(to: width)]
        + tables.map { $0.terminal(colour: colour, width: width) }
        + [remarks.map { $0.wrapped(to: width) }.joined(separator: "\n")]
      return blocks.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }.joined(separator: "\n")
  }
}

extension ProfileFigures {
  fileprivate func head(_ model: ModelDescription?, _ scale: TimeScale) -> String {
    let subject = [
      "\(profile.variant) \(profile.weights)".trimmedEnd, counted(profile.threads, "thread"),
      model?.name,
    ].compactMap { $0 }.joined(separator: ", ")
    let speed =
      "\(scale.words(wallNanoseconds)) per \(profile.passWord), "
      + "\(NumberText.significant(tokensPerSecond)) tok/s"
    return "\(subject.safeLine): \(profile.stageWords), \(speed)"
  }

  /// The phases under their groups, the waiting where there is a pool, what nothing explains; last the whole.
  fileprivate var tree: [ProfileRow] {
    let groups = ProfileGroup.allCases.flatMap(rows)
    let wait = ProfileRow(figures: self, name: "pool wait", nanoseconds: waitNanoseconds)
    let rest = (profile.threads > 1 ? [wait] : []) + [.unexplained(self)]
    let sums = ProfileGroup.allCases.map { group in
      phases.filter { $0.phase.group == group }.reduce(0) { $0 + $1.work.nanoseconds }
    }
    let longest = (sums + [waitNanoseconds, unexplainedNanoseconds]).max() ?? 1
    let barred = (groups + rest).map { row in
      var row = row
      row.bar = row.nanoseconds / longest
      return row
    }
    return barred + [.total(self)]
  }

  /// A group of one phase is that phase; of a group of several the sum stands above them.
  private func rows(of group: ProfileGroup) -> [ProfileRow] {
    let own = phases.filter { $0.phase.group == group }
    let parts = own.enumerated().map { index, phase in
      let branch = own.count == 1 ? "" : index + 1 < own.count ? "├ " : "└ "
      var row = ProfileRow(phase, of: self, name: branch + phase.phase.title)
      row.isBold = phase.phase == longestPhase?.phase
      return row
    }
    let work = PassWork(own.map(\.work))
    let sum = ProfileRow(
      figures: self, name: group.rawValue, nanoseconds: work.nanoseconds, work: work,
      waitNanoseconds: work.waitNanoseconds)
    return (own.count > 1 ? [sum] : []) + parts
  }

  /// What each thread did of a pass; empty for one that has nobody to wait for.
  fileprivate func threads(_ scale: TimeScale) -> Table {
    let passes = Double(profile.keptPasses)
    let rows = profile.threadTimes.enumerated().map { index, time -> [Table.Entry] in
      let share = share(time.busyNanoseconds / passes)
      return [
        .init(index == 0 ? "0, drives" : "\(index)"), .init(.bar(share: share)),
        .init(scale.text(time.busyNanoseconds / passes)), .init(NumberText.percentValue(share)),
        .init(scale.text(time.waitNanoseconds / passes)),
      ]
    }
    return Table(
      [
        .short("thread", "", .left), .short("", "", .left), .short("busy", scale.unit), .short("busy", "%"),
        .short("waits", scale.unit),
      ], rows: rows.count > 1 ? rows : [])
  }

  fileprivate func remarks(_ scale: TimeScale, isVerbose: Bool) -> [String] {
    let count = profile.passNanoseconds.count
    let doubt = doubt()?.plain
    guard isVerbose else { return [coverageSentence, doubt].compactMap { $0 } }
    return [
      coverageSentence, overheadSentence(scale),
      "Means of \(profile.keptPasses) of \(counted(count, "pass", plural: "passes"))"
        + (profile.keptPasses < count ? ", those around the median." : "."),
      profile.threads > 1
        ? "Times are of the thread that drives the pass. Rates and shares of the roofline count its wait too; for a "
          + "part of an operation, that is the wait of the whole operation." : nil,
      leastNanoseconds == nil
        ? "No roofline: the record has no ceilings for \(counted(profile.threads, "thread"))."
        : "At best: the least time that the ceilings of this run allow.",
      doubt,
    ].compactMap { $0 }
  }

  /// `98.9 % of the wall time has a name; 0.8 % is between operations or in probes, 0.3 % is unexplained.`
  private var coverageSentence: String {
    let between = phases.filter { $0.phase == .other }.reduce(0) { $0 + $1.work.nanoseconds }
    let left = [
      between > 0 ? "\(NumberText.percent(share(between))) is between operations or in probes" : nil,
      "\(NumberText.percent(share(unexplainedNanoseconds))) is unexplained",
    ].compactMap { $0 }
    return "\(NumberText.percent(coverage)) of the wall time has a name; \(left.joined(separator: ", "))."
  }

  /// What the probes cost, with its interval and both medians; nil where it was not measured.
  private func overheadSentence(_ scale: TimeScale) -> String? {
    guard let overhead, let samples = profile.overhead, let with = Figure(medianOf: samples.withNanoseconds),
      let without = Figure(medianOf: samples.withoutNanoseconds)
    else { return nil }
    let interval = overhead.interval.map { " (95 % CI \($0.words(NumberText.percentValue)))" } ?? ""
    return "The probes cost \(NumberText.percent(overhead.value))\(interval), the median over "
      + "\(counted(samples.withNanoseconds.count, "pass", plural: "passes")) that ran with them and without, in turns: "
      + "\(scale.words(with.value)) with, \(scale.words(without.value)) without."
  }
}

/// A profile's layers as lines. Of a deep model whose middle layers are alike, these are one line.
private struct LayerLines {
  /// Up to so many layers each has its line; of more, so many at either end.
  private static let (most, ends) = (24, 4)
  /// Layers are alike whose times differ from their median by no more than this share.
  private static let likeness = 0.1

  let rows: [ProfileRow]
  /// How lines were folded; nil where none were.
  let remark: String?

  init(_ figures: ProfileFigures) {
    var lines = figures.layers.map { (name: "\($0.layer)", work: $0.work) }
    let middle = figures.layers.dropFirst(Self.ends).dropLast(Self.ends)
    if lines.count > Self.most, let first = middle.first?.layer, let last = middle.last?.layer,
      Self.areAlike(middle.map(\.work.wholeNanoseconds))
    {
      lines.replaceSubrange(
        Self.ends..<lines.count - Self.ends,
        with: [("\(first) to \(last)", PassWork(meanOf: middle.map(\.work)))])
      remark =
        "Layers \(first) to \(last) are within \(Int(100 * Self.likeness)) % of their median: the line is their mean."
    } else {
      remark = nil
    }
    let longest = lines.map(\.work.wholeNanoseconds).max() ?? 1
    rows = lines.map { name, work in
      ProfileRow(
        figures: figures, name: name, nanoseconds: work.wholeNanoseconds, work: work, calls: work.calls,
        bar: work.wholeNanoseconds / longest)
    }
  }

  private static func areAlike(_ times: [Double]) -> Bool {
    guard let middle = median(times) else { return false }
    return times.allSatisfy { abs($0 - middle) <= likeness * middle }
  }
}
