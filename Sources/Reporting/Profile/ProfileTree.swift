import Record

/// A profile's phases under their groups, with a bar for each share: for a terminal.
struct ProfileTree {
  private let figures: ProfileFigures
  private let scale: TimeScale

  init(_ figures: ProfileFigures, scale: TimeScale) {
    self.figures = figures
    self.scale = scale
  }

  func text(colour: Bool, width: Int) -> String {
    var table = TextTable([
      .init(title: "phase", alignment: .left), .init(title: "", alignment: .left),
      .init(title: "time", unit: scale.unit), .init(title: "share", unit: "%"),
      .init(title: "wait", unit: scale.unit, rank: 9), .init(title: "calls", rank: 7),
      .init(title: "MFLOP", rank: 10), .init(title: "MB", rank: 11), .init(title: "GFLOP/s", rank: 3),
      .init(title: "GB/s", rank: 4), .init(title: "FLOP/B", rank: 6),
      .init(title: "of roof", unit: "%", rank: 2), .init(title: "at best", unit: scale.unit, rank: 5),
      .init(title: "roof", alignment: .left, rank: 8),
    ])
    table.rows = groupLines + restLines + [line("total", WorkSum(pass: figures), hasBar: false)]
    return table.text(colour: colour, width: width)
  }

  private typealias Line = [TextTable.Entry]

  /// A group of one phase is that phase; of a group of several the sum stands above them.
  private var groupLines: [Line] {
    ProfileGroup.allCases.flatMap { group -> [Line] in
      let phases = figures.phases.filter { $0.phase.group == group }
      guard phases.count > 1 else { return phases.map { line($0.phase.title, $0) } }
      let parts = phases.enumerated().map { index, phase in
        line("\(index + 1 < phases.count ? "├" : "└") \(phase.phase.title)", phase)
      }
      return [line(group.rawValue, WorkSum(phases))] + parts
    }
  }

  /// What no phase has: the waiting, where there is a pool, and what nothing explains.
  private var restLines: [Line] {
    let wait = figures.profile.threads > 1 ? [("pool wait", figures.waitNanoseconds)] : []
    return (wait + [("unexplained", figures.unexplainedNanoseconds)]).map { name, nanoseconds in
      [.init(name)] + times(nanoseconds) + Line(repeating: .init(""), count: 10)
    }
  }

  private func line(_ name: String, _ work: some MeasuredWork, hasBar: Bool = true) -> Line {
    let phase = work as? PhaseFigures
    let isLongest = phase.map { $0.phase == figures.longestPhase?.phase } ?? false
    return [.init(name, isBold: isLongest)] + times(work.nanoseconds, hasBar: hasBar, isBold: isLongest) + [
      .init(work.waitNanoseconds > 0 ? scale.text(work.waitNanoseconds) : ""),
      .init(phase.map { NumberText.plain($0.calls) } ?? ""), .init(amount(work.flops)),
      .init(amount(work.bytes)), .init(rate(work.gflops)), .init(rate(work.gbPerSecond)),
      .init(rate(work.intensity)),
      .init(work.rooflinePercent.map { NumberText.fixed($0, 1) } ?? ""),
      .init(work.leastNanoseconds.map(scale.text) ?? ""), .init(phase?.roof?.word ?? ""),
    ]
  }

  private func times(_ nanoseconds: Double, hasBar: Bool = true, isBold: Bool = false) -> Line {
    [
      hasBar ? .init(.bar(share: nanoseconds / longest)) : .init(""),
      .init(scale.text(nanoseconds), isBold: isBold),
      .init(NumberText.percent(figures.share(nanoseconds)), isBold: isBold),
    ]
  }

  /// Nanoseconds of the longest bar: a group's, the wait's or the rest's.
  private var longest: Double {
    let groups = ProfileGroup.allCases.map { group in
      figures.phases.filter { $0.phase.group == group }.reduce(0) { $0 + $1.nanoseconds }
    }
    return (groups + [figures.waitNanoseconds, figures.unexplainedNanoseconds]).max() ?? 1
  }

  /// In millions; empty for none.
  private func amount(_ value: Double) -> String { value > 0 ? NumberText.significant(value / 1e6, 3) : "" }

  private func rate(_ value: Double?) -> String { value.map { NumberText.significant($0, 3) } ?? "" }
}
