import Record

/// A record's profiles as comma-separated values: one row for each contestant, stage, phase and layer, then one for
/// what is unexplained and one for the whole pass. Everything is of one pass; empty where there is no figure.
public struct ProfileCSV: Sendable {
  public let text: String

  private static let names = [
    "variant", "weights", "threads", "stage", "tokens", "phase", "group", "layer", "calls_per_pass",
    "time_ns_per_pass", "wait_ns_per_pass", "share_percent", "flop_per_pass", "streamed_bytes_per_pass",
    "activation_bytes_per_pass", "gflop_per_s", "gb_per_s", "flop_per_byte", "at_best_ns_per_pass",
    "roofline_percent", "roof", "passes", "passes_kept", "named_percent", "probes_cost_percent",
    "probes_cost_percent_ci_low", "probes_cost_percent_ci_high",
  ]

  public init(_ record: Record) {
    let rows = (record.profiles ?? []).flatMap { profile in
      Self.rows(profile, ceiling: profile.ceiling(among: record.ceilings))
    }
    text = CSVReport.table(Self.names, rows)
  }

  private static func rows(_ profile: Profile, ceiling: Ceiling?) -> [[String]] {
    let figures = ProfileFigures(profile, ceiling: ceiling)
    let passes = Double(profile.keptPasses)
    let entries = profile.entries.map { entry in
      let work = PhaseFigures(entry.phase, [entry], passes: passes, roofs: figures.roofs)
      return row(
        figures, phase: entry.phase.rawValue, group: entry.phase.group.rawValue, layer: entry.layer,
        nanoseconds: work.nanoseconds,
        numbers: [
          work.waitNanoseconds, figures.share(work.nanoseconds) * 100, work.flops,
          entry.streamedBytes / passes, entry.activationBytes / passes,
        ], calls: work.calls, work: work, roof: work.roof)
    }
    let rest = row(
      figures, phase: "unexplained", nanoseconds: figures.unexplainedNanoseconds,
      numbers: [nil, figures.share(figures.unexplainedNanoseconds) * 100, nil, nil, nil])
    return entries + [rest, total(figures)]
  }

  private static func total(_ figures: ProfileFigures) -> [String] {
    let profile = figures.profile
    let work = WorkSum(pass: figures)
    let streamed = figures.streamedBytes
    let row = Self.row(
      figures, phase: "total", nanoseconds: figures.wallNanoseconds,
      numbers: [figures.waitNanoseconds, 100, work.flops, streamed, work.bytes - streamed], work: work)
    let overhead = figures.overhead
    let shares = [
      figures.coverage, overhead?.value, overhead?.interval?.lower, overhead?.interval?.upper,
    ]
    return Array(row[..<(row.count - 6)])
      + ["\(profile.passNanoseconds.count)", "\(profile.keptPasses)"]
      + shares.map { share in number(share.map { 100 * $0 }) }
  }

  /// - Parameter numbers: wait, share, operations, streamed bytes, bytes of activations.
  private static func row(
    _ figures: ProfileFigures, phase: String, group: String = "", layer: Int? = nil, nanoseconds: Double,
    numbers: [Double?], calls: Double? = nil, work: (any MeasuredWork)? = nil, roof: Roof? = nil
  ) -> [String] {
    let profile = figures.profile
    return [
      profile.variant, profile.weights, "\(profile.threads)", profile.stage.rawValue, "\(profile.tokens)",
      phase, group, layer.map(String.init) ?? "", number(calls), number(nanoseconds),
    ] + numbers.map(number)
      + [
        work?.gflops, work?.gbPerSecond, work?.intensity, work?.leastNanoseconds, work?.rooflinePercent,
      ].map(number) + [roof?.words ?? ""] + [String](repeating: "", count: 6)
  }

  private static func number(_ value: Double?) -> String { value.map(NumberText.plain) ?? "" }
}
