import Record

// The fields of a comparison's row, each defined once, and what programs read: CSV and JSON.

extension [Column<ComparisonRow>] {
  /// For people. The remark comes last, since it may be long.
  static var report: Self {
    [
      .verdict, .variant, .weights, .threads, .test, .metric, .base, .head, .unit, .baseSamples, .ratio,
      .interval, .adjustedPValue, .noiseFloor, .smallestDetectable, .isConfirmed, .reason,
    ]
  }

  /// For programs.
  static var data: Self {
    [
      .variant, .weights, .threads, .test, .metric, .unit, .base, .head, .baseSamples, .headSamples, .ratio,
      .pValue, .adjustedPValue, .threshold, .noiseFloor, .smallestDetectable, .isShareOfCeiling, .verdict,
      .isConfirmed, .counts, .reason,
    ]
  }
}

extension Column where Row == ComparisonRow {
  /// - Parameters:
  ///   - key: the CSV field; JSON has it in one word (`base_samples`, `baseSamples`).
  ///   - heading: nil for what is for programs alone.
  ///   - isOptional: left out of the report where no row has a value.
  fileprivate init(
    _ key: String, _ heading: String?, isOptional: Bool = false, style: Style = .plain, _ reading: Reading,
    shown: (@Sendable (Row) -> Prose)? = nil
  ) {
    let alignment: Table.Alignment =
      switch reading {
      case .prose, .text, .flag: .left
      case .integer, .number, .figure, .percentiles: .right
      }
    self.init(
      heading: Table.Heading(Prose(heading ?? key), alignment, isOptional: isOptional), key: key,
      reading: reading, shown: shown, style: style)
  }

  fileprivate static var verdict: Self {
    Self("verdict", "verdict", .text(\.verdict.rawValue)) { row in
      guard row.counts else { return "(\(row.verdict.rawValue))" }
      return row.verdict == .regressed ? "**regressed**" : Prose(row.verdict.rawValue)
    }
  }
  fileprivate static var variant: Self {
    Self("variant", "variant", .text(\.contestant.variant)) { .code($0.contestant.variant) }
  }
  fileprivate static var weights: Self { Self("weights", "weights", .text(\.contestant.weights)) }
  fileprivate static var threads: Self { Self("threads", "threads", .integer(\.contestant.threads)) }
  fileprivate static var test: Self { Self("test", "test", .text(\.test?.name)) }
  fileprivate static var metric: Self { Self("metric", "metric", .text(\.metric.name)) }
  fileprivate static var base: Self { Self("base", "base", .number(\.base)) }
  fileprivate static var head: Self { Self("head", "head", .number(\.head)) }
  fileprivate static var unit: Self { Self("unit", "unit", .text(\.unit)) }
  /// A report has both sides' numbers in one column.
  fileprivate static var baseSamples: Self {
    Self("base_samples", "n", .integer(\.baseSamples)) { "\($0.baseSamples), \($0.headSamples)" }
  }
  fileprivate static var headSamples: Self { Self("head_samples", nil, .integer(\.headSamples)) }
  /// With its interval, which a report has in a column of its own.
  fileprivate static var ratio: Self {
    Self("ratio", "ratio, > 1 is better", style: .decimals(3), .figure(\.ratio))
  }
  fileprivate static var interval: Self { Self("", "CI", .text { $0.ratio?.interval?.words }) }
  fileprivate static var pValue: Self { Self("p", nil, .number(\.pValue)) }
  fileprivate static var adjustedPValue: Self {
    Self("p_adjusted", "p, Holm", style: .significant(2), .number(\.adjustedPValue))
  }
  fileprivate static var threshold: Self { Self("threshold", nil, .number(\.threshold)) }
  /// Like all shares a fraction for programs, and in per cent for people.
  fileprivate static var noiseFloor: Self {
    Self("noise_floor", "noise floor", isOptional: true, style: .percent, .number(\.noiseFloor))
  }
  fileprivate static var smallestDetectable: Self {
    Self(
      "smallest_detectable", "smallest detectable", isOptional: true, style: .percent,
      .number(\.smallestDetectable))
  }
  fileprivate static var isShareOfCeiling: Self { Self("share_of_ceiling", nil, .flag(\.isShareOfCeiling)) }
  fileprivate static var isConfirmed: Self {
    Self("confirmed", "confirmed", isOptional: true, .flag(\.isConfirmed))
  }
  fileprivate static var counts: Self { Self("counts", nil, .flag(\.counts)) }
  fileprivate static var reason: Self { Self("reason", "remark", .text(\.reason)) }
}

extension Comparison {
  /// One row a compared metric, RFC 4180; empty where there is no figure. Shares such as `threshold` are fractions.
  public var csv: String { CSV.text(.data, rows) }

  /// The comparison for programs: indented, keys sorted; a key without a value is left out. Shares such as
  /// `threshold` are fractions.
  public var json: String {
    get throws {
      let document: [String: JSONValue] = [
        "schema": .integer(2),
        "method": .string(method.rawValue),
        "base": base.json,
        "head": head.json,
        "thresholds": .object(
          Dictionary(uniqueKeysWithValues: Metric.compared.map { ($0.word, .number(thresholds[$0])) })),
        "exitCode": .integer(Int(exitCode)),
        "warnings": .array(warnings.map(JSONValue.string)),
        "failures": .array(failures.map { .string($0.markdown) }),
        "unmatched": .array(unmatched.map { .string($0.markdown) }),
        "notes": .array(notes.map { .string($0.markdown) }),
        "rows": .array(rows.map { .object(Column.members(.data, of: $0)) }),
        "geometricMeans": .array(groupMeans.map(\.json)),
      ]
      return String(decoding: try readableJSON(document), as: UTF8.self)
    }
  }
}

extension ComparedSide {
  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = [
      "version": .string(version), "started": .string(started),
      "buildFlags": .array(buildFlags.map(JSONValue.string)),
    ]
    members["label"] = label.map(JSONValue.string)
    members["commit"] = commit.map(JSONValue.string)
    return .object(members)
  }
}

extension GroupMean {
  /// Without `variant` for the mean over all variants.
  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = [
      "metric": .string(metric.name), "ratio": .number(ratio), "rows": .integer(count),
    ]
    members["variant"] = variant.map(JSONValue.string)
    return .object(members)
  }
}
