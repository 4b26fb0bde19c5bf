import Record

/// A line of a profile's tables: a phase, several together, a layer, or a time outside the counted work.
struct ProfileRow: Sendable {
  let figures: ProfileFigures
  /// What people read.
  let name: String
  /// Nanoseconds of a pass.
  let nanoseconds: Double
  /// What was computed and moved in that time; nil where nothing is counted.
  var work: PassWork?
  var calls: Double?
  var waitNanoseconds: Double?
  /// `mlp-up`: for programs.
  var phase = ""
  var group = ""
  var layer: Int?
  /// Whether it is the whole pass.
  var isTotal = false
  /// Whether a terminal shows it in bold.
  var isBold = false
  /// Length of its bar, as a share of the longest; nil for none.
  var bar: Double?
}

extension ProfileRow {
  /// A phase in all layers.
  init(_ phase: PhaseFigures, of figures: ProfileFigures, name: String? = nil) {
    self.init(
      figures: figures, name: name ?? phase.phase.title, nanoseconds: phase.work.nanoseconds,
      work: phase.work,
      calls: phase.work.calls, waitNanoseconds: phase.work.waitNanoseconds)
  }

  /// One phase in one layer.
  fileprivate init(_ entry: Profile.Entry, of figures: ProfileFigures) {
    let work = PassWork([entry], of: figures.profile, roofline: figures.roofline)
    self.init(PhaseFigures(phase: entry.phase, work: work), of: figures)
    (phase, group, layer) = (entry.phase.rawValue, entry.phase.group.rawValue, entry.layer)
  }

  static func unexplained(_ figures: ProfileFigures) -> Self {
    Self(
      figures: figures, name: "unexplained", nanoseconds: figures.unexplainedNanoseconds, phase: "unexplained"
    )
  }

  static func total(_ figures: ProfileFigures) -> Self {
    Self(
      figures: figures, name: "total", nanoseconds: figures.wallNanoseconds, work: figures.pass,
      waitNanoseconds: figures.waitNanoseconds, phase: "total", isTotal: true)
  }

  fileprivate var profile: Profile { figures.profile }
}

// Every column that a profile's tables have, each defined once. Times are in nanoseconds of one pass.
extension Column where Row == ProfileRow {
  private init(
    _ key: String, _ title: String, _ reading: Reading, unit: String = "", heading: Prose? = nil,
    style: Style = .significant(3)
  ) {
    let isText = if case .text = reading { true } else { false }
    var words = Table.Heading.short(title, unit, isText ? .left : .right)
    if let heading { words.text = heading }
    self.init(heading: words, key: key, reading: reading, style: style)
  }

  /// In bold where the row is.
  private var bold: Self {
    var column = self
    column.isBold = { $0.isBold }
    return column
  }

  private static func name(_ title: String) -> Self { Self("", title, .text { $0.name }) }
  private static var bar: Self {
    Self(
      heading: .short("", "", .left), key: "",
      reading: .drawing { row in row.bar.map { .bar(share: $0) } })
  }
  private static var time: Self { Self("time_ns_per_pass", "time", .number { $0.nanoseconds }) }
  private static var share: Self {
    Self(
      "share_percent", "share", .number { 100 * $0.figures.share($0.nanoseconds) }, unit: "%",
      style: .decimals(1))
  }
  private static var wait: Self { Self("wait_ns_per_pass", "wait", .number { $0.waitNanoseconds }) }
  private static var calls: Self { Self("calls_per_pass", "calls", .number { $0.calls }, style: .exact) }
  private static var megaflops: Self { Self("", "MFLOP", .number { millions($0.work?.flops) }) }
  private static var megabytes: Self { Self("", "MB", .number { millions($0.work?.bytes) }) }
  private static var gflops: Self { Self("gflop_per_s", "GFLOP/s", .number { $0.work?.gflops }) }
  private static var gbPerSecond: Self { Self("gb_per_s", "GB/s", .number { $0.work?.gbPerSecond }) }
  private static var intensity: Self { Self("flop_per_byte", "FLOP/B", .number { $0.work?.intensity }) }
  private static var roofline: Self {
    Self(
      "roofline_percent", "of roof", .number { $0.work?.rooflinePercent }, unit: "%",
      heading: "% of the roofline", style: .decimals(1))
  }
  private static var atBest: Self {
    Self("at_best_ns_per_pass", "at best", .number { $0.work?.leastNanoseconds })
  }
  private static var roof: Self { Self("roof", "roof", .text { $0.work?.roof?.words }) }
  private static var shortRoof: Self { Self("", "roof", .text { $0.work?.roof?.word }) }

  /// Nil for none.
  private static func millions(_ value: Double?) -> Double? {
    value.flatMap { $0 > 0 ? $0 * 1e-6 : nil }
  }

  /// Phases, for a terminal.
  static func phases(_ scale: TimeScale) -> [Self] {
    [
      name("phase").bold, bar, time.styled(.time(scale)).bold, share.bold, wait.styled(.time(scale), rank: 9),
      calls.styled(rank: 7), megaflops.styled(rank: 10), megabytes.styled(rank: 11), gflops.styled(rank: 3),
      gbPerSecond.styled(rank: 4), intensity.styled(rank: 6), roofline.styled(rank: 2),
      atBest.styled(.time(scale), rank: 5), shortRoof.styled(rank: 8),
    ]
  }

  /// Layers, for a terminal.
  static func layers(_ scale: TimeScale) -> [Self] {
    var number = name("layer")
    number.heading.alignment = .right
    return [
      number, bar, time.styled(.time(scale)), share, calls.styled(rank: 6), megaflops.styled(rank: 4),
      megabytes.styled(rank: 5), gflops, gbPerSecond, intensity.styled(rank: 3), roofline.styled(rank: 1),
      atBest.styled(.time(scale), rank: 2),
    ]
  }

  /// Phases, for a page.
  static var operations: [Self] {
    func microseconds(_ heading: String, _ read: @escaping @Sendable (ProfileRow) -> Double?) -> Self {
      Self("", heading, .number { row in read(row).map { $0 * 1e-3 } })
    }
    return [
      name("operation"), calls.styled(.significant(3)), microseconds("µs a pass") { $0.nanoseconds },
      microseconds("waiting µs") { $0.waitNanoseconds }, megaflops, megabytes, gflops, gbPerSecond, intensity,
      roofline.styled(.significant(3)), roof, microseconds("least µs") { $0.work?.leastNanoseconds },
    ]
  }

  /// `profile.csv`
  fileprivate static var csv: [Self] {
    func text(_ key: String, _ read: @escaping @Sendable (ProfileRow) -> String?) -> Self {
      Self(key, key, .text(read))
    }
    func number(_ key: String, _ read: @escaping @Sendable (ProfileRow) -> Double?) -> Self {
      Self(key, key, .number(read))
    }
    func integer(_ key: String, _ read: @escaping @Sendable (ProfileRow) -> Int?) -> Self {
      Self(key, key, .integer(read))
    }
    let subject = [
      text("variant") { $0.profile.variant }, text("weights") { $0.profile.weights },
      integer("threads") { $0.profile.threads }, text("stage") { $0.profile.stage.rawValue },
      integer("tokens") { $0.profile.tokens }, text("phase") { $0.phase }, text("group") { $0.group },
      integer("layer") { $0.layer },
    ]
    let amounts = [
      calls, time, wait, share, number("flop_per_pass") { $0.work?.flops },
      number("streamed_bytes_per_pass") { $0.work?.streamedBytes },
      number("activation_bytes_per_pass") { row in row.work.map { $0.bytes - $0.streamedBytes } },
    ]
    let rates = [gflops, gbPerSecond, intensity, atBest, roofline, roof]
    let whole = [
      integer("passes") { $0.isTotal ? $0.profile.passNanoseconds.count : nil },
      integer("passes_kept") { $0.isTotal ? $0.profile.keptPasses : nil },
      number("named_percent") { $0.isTotal ? 100 * $0.figures.coverage : nil },
      Self(
        "probes_cost_percent", "probes cost",
        .figure { $0.isTotal ? $0.figures.overhead?.scaled(by: 100) : nil }),
    ]
    return subject + amounts + rates + whole
  }
}

/// A record's profiles as comma-separated values: one row for each contestant, stage, phase and layer, then one for
/// what is unexplained and one for the whole pass. Everything is of one pass; empty where there is no figure.
public struct ProfileCSV: Sendable {
  public let text: String

  public init(_ record: Record) {
    let rows = ProfileFigures.all(record).flatMap { figures in
      figures.profile.entries.map { ProfileRow($0, of: figures) }
        + [.unexplained(figures), .total(figures)]
    }
    text = CSV.text(Column.csv, rows)
  }
}
