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
  var isTotal = false
  var isBold = false
  /// Length of its bar, as a share of the longest; nil for none.
  var bar: Double?
}

extension ProfileRow {
  /// A phase in all layers.
  init(_ phase: PhaseFigures, of figures: ProfileFigures, name: String? = nil) {
    self.init(
      figures: figures, name: name ?? phase.phase.title, nanoseconds: phase.work.nanoseconds,
      work: phase.work, calls: phase.work.calls, waitNanoseconds: phase.work.waitNanoseconds)
  }

  fileprivate init(_ entry: Profile.Entry, of figures: ProfileFigures) {
    let work = PassWork([entry], of: figures.profile, roofline: figures.roofline)
    self.init((entry.phase, work), of: figures)
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
  private var bold: Self {
    var column = self
    column.isBold = { $0.isBold }
    return column
  }

  private static func name(_ title: Prose) -> Self { Self(title, .text { $0.name }) }
  private static func number(
    _ heading: Prose, key: String = "", _ read: @escaping @Sendable (ProfileRow) -> Double?
  ) -> Self { Self(heading, key: key, style: .significant(3), .number(read)) }
  private static var bar: Self { Self("", .drawing { row in row.bar.map { .bar(share: $0) } }) }
  private static var time: Self { number("time", key: "time_ns_per_pass") { $0.nanoseconds } }
  private static var share: Self {
    Self(
      "share %", key: "share_percent", short: ("share", "%"), style: .decimals(1),
      .number { 100 * $0.figures.share($0.nanoseconds) })
  }
  private static var wait: Self { number("wait", key: "wait_ns_per_pass") { $0.waitNanoseconds } }
  /// Of phases and groups that waited.
  private static var waited: Self {
    number("wait") { row in row.waitNanoseconds.flatMap { $0 > 0 && !row.isTotal ? $0 : nil } }
  }
  private static var calls: Self { Self("calls", key: "calls_per_pass", style: .exact, .number { $0.calls }) }
  private static var megaflops: Self { number("MFLOP") { millions($0.work?.flops) } }
  private static var megabytes: Self { number("MB") { millions($0.work?.bytes) } }
  private static var gflops: Self { number("GFLOP/s", key: "gflop_per_s") { $0.work?.gflops } }
  private static var gbPerSecond: Self { number("GB/s", key: "gb_per_s") { $0.work?.gbPerSecond } }
  private static var intensity: Self { number("FLOP/B", key: "flop_per_byte") { $0.work?.intensity } }
  private static var roofline: Self {
    Self(
      "% of the roofline", key: "roofline_percent", short: ("of roof", "%"), style: .decimals(1),
      .number { $0.work?.rooflinePercent })
  }
  private static var atBest: Self {
    number("at best", key: "at_best_ns_per_pass") { $0.work?.leastNanoseconds }
  }
  private static var roof: Self { Self("roof", .text { $0.work?.roof?.words }) }
  private static var shortRoof: Self { Self("roof", .text { $0.work?.roof?.word }) }

  private static func millions(_ value: Double?) -> Double? { value.flatMap { $0 > 0 ? $0 * 1e-6 : nil } }

  static func phases(_ scale: TimeScale) -> [Self] {
    [
      name("phase").bold, bar, time.styled(.time(scale)).bold, share.bold,
      waited.styled(.time(scale), rank: 9),
      calls.styled(rank: 7), megaflops.styled(rank: 10), megabytes.styled(rank: 11), gflops.styled(rank: 3),
      gbPerSecond.styled(rank: 4), intensity.styled(rank: 6), roofline.styled(rank: 2),
      atBest.styled(.time(scale), rank: 5), shortRoof.styled(rank: 8),
    ]
  }

  static func layers(_ scale: TimeScale) -> [Self] {
    var number = name("layer")
    number.heading.alignment = .right
    return [
      number, bar, time.styled(.time(scale)), share, calls.styled(rank: 6), megaflops.styled(rank: 4),
      megabytes.styled(rank: 5), gflops, gbPerSecond, intensity.styled(rank: 3), roofline.styled(rank: 1),
      atBest.styled(.time(scale), rank: 2),
    ]
  }

  static var operations: [Self] {
    [
      name("operation"), calls.styled(.significant(3)), number("µs a pass") { $0.nanoseconds * 1e-3 },
      number("waiting µs") { row in row.waitNanoseconds.map { $0 * 1e-3 } }, megaflops, megabytes, gflops,
      gbPerSecond, intensity, roofline.styled(.significant(3)), roof,
      number("least µs") { row in (row.work?.leastNanoseconds).map { $0 * 1e-3 } },
    ]
  }

  /// `profile.csv`
  fileprivate static var csv: [Self] {
    let subject: [Self] = [
      Self("variant", .text { $0.profile.variant }), Self("weights", .text { $0.profile.weights }),
      Self("threads", .integer { $0.profile.threads }), Self("stage", .text { $0.profile.stage.rawValue }),
      Self("tokens", .integer { $0.profile.tokens }), Self("phase", .text { $0.phase }),
      Self("group", .text { $0.group }), Self("layer", .integer { $0.layer }),
    ]
    let amounts: [Self] = [
      calls, time, wait, share, Self("flop_per_pass", .number { $0.work?.flops }),
      Self("streamed_bytes_per_pass", .number { $0.work?.streamedBytes }),
      Self("activation_bytes_per_pass", .number { row in row.work.map { $0.bytes - $0.streamedBytes } }),
    ]
    let rates = [gflops, gbPerSecond, intensity, atBest, roofline, roof]
    let whole: [Self] = [
      Self("passes", .integer { $0.isTotal ? $0.profile.passNanoseconds.count : nil }),
      Self("passes_kept", .integer { $0.isTotal ? $0.profile.keptPasses : nil }),
      Self("named_percent", .number { $0.isTotal ? 100 * $0.figures.coverage : nil }),
      Self("probes_cost_percent", .figure { $0.isTotal ? $0.figures.overhead?.scaled(by: 100) : nil }),
    ]
    return subject + amounts + rates + whole
  }
}

/// A row for each contestant, stage, phase and layer, then one for what is unexplained and one for the whole pass. All
/// is of one pass; empty where there is no figure.
public struct ProfileCSV: Sendable {
  public let text: String

  public init(_ record: Record) {
    let rows = ProfileFigures.all(record).flatMap { figures in
      figures.profile.entries.map { ProfileRow($0, of: figures) } + [.unexplained(figures), .total(figures)]
    }
    text = CSV.text(Column.csv, rows)
  }
}
