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

  /// For a terminal, which shows remarks below the table.
  static var terminal: Self {
    var columns: Self = [
      .verdict, .contestant, .test, .metricWithUnit, .base, .head, .shortRatio, .interval,
    ]
    for index in columns.indices where columns[index].reading.alignment == .left {
      columns[index].heading.canShorten = true
    }
    columns[columns.count - 1].heading.rank = 1
    return columns
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

extension ComparisonRow {
  /// `packed t2`, with the weights' precision where it is not float32.
  var contestantWords: String {
    let (who, isAlone) = (contestant, contestant.weights.isEmpty || contestant.weights == "f32")
    return "\(who.variant)\(isAlone ? "" : " \(who.weights)") t\(who.threads)"
  }
}

extension Column where Row == ComparisonRow {
  fileprivate static var verdict: Self {
    Self("verdict", .text(\.verdict.rawValue)) { row in
      guard row.counts else { return "(\(row.verdict.rawValue))" }
      return row.verdict == .regressed ? "**regressed**" : Prose(row.verdict.rawValue)
    }
  }
  fileprivate static var variant: Self {
    Self("variant", .text(\.contestant.variant)) { .code($0.contestant.variant) }
  }
  fileprivate static var contestant: Self {
    Self("variant", .text(\.contestantWords))
  }
  fileprivate static var metricWithUnit: Self {
    Self(
      "metric",
      .text { row in
        let (name, unit) = (row.metric.name, row.unit)
        return unit.isEmpty || name.hasSuffix(unit) ? name : "\(name) \(unit)"
      })
  }
  fileprivate static var weights: Self { Self("weights", .text(\.contestant.weights)) }
  fileprivate static var threads: Self { Self("threads", .integer(\.contestant.threads)) }
  fileprivate static var test: Self { Self("test", .text(\.test?.name)) }
  fileprivate static var metric: Self { Self("metric", .text(\.metric.name)) }
  fileprivate static var base: Self { Self("base", .number(\.base)) }
  fileprivate static var head: Self { Self("head", .number(\.head)) }
  fileprivate static var unit: Self { Self("unit", .text(\.unit)) }
  /// A report has both sides' numbers in one column.
  fileprivate static var baseSamples: Self {
    Self("n", key: "base_samples", .integer(\.baseSamples)) { "\($0.baseSamples), \($0.headSamples)" }
  }
  fileprivate static var headSamples: Self { Self("head_samples", .integer(\.headSamples)) }
  /// With its interval, which a report has in a column of its own.
  fileprivate static var ratio: Self {
    Self("ratio, > 1 is better", key: "ratio", style: .decimals(3), .figure(\.ratio))
  }
  fileprivate static var shortRatio: Self { Self("ratio", style: .decimals(3), .figure(\.ratio)) }
  fileprivate static var interval: Self { Self("CI", .text { $0.ratio?.interval?.words() }) }
  fileprivate static var pValue: Self { Self("p", .number(\.pValue)) }
  fileprivate static var adjustedPValue: Self {
    Self("p, Holm", key: "p_adjusted", style: .significant(2), .number(\.adjustedPValue))
  }
  fileprivate static var threshold: Self { Self("threshold", .number(\.threshold)) }
  /// Like all shares a fraction for programs, and in per cent for people.
  fileprivate static var noiseFloor: Self {
    Self("noise floor", key: "noise_floor", isOptional: true, style: .percent, .number(\.noiseFloor))
  }
  fileprivate static var smallestDetectable: Self {
    Self(
      "smallest detectable", key: "smallest_detectable", isOptional: true, style: .percent,
      .number(\.smallestDetectable))
  }
  fileprivate static var isShareOfCeiling: Self { Self("share_of_ceiling", .flag(\.isShareOfCeiling)) }
  fileprivate static var isConfirmed: Self { Self("confirmed", isOptional: true, .flag(\.isConfirmed)) }
  fileprivate static var counts: Self { Self("counts", .flag(\.counts)) }
  fileprivate static var reason: Self { Self("remark", key: "reason", .text(\.reason)) }
}

extension Comparison {
  /// One row a compared metric, RFC 4180; empty where there is no figure. Shares such as `threshold` are fractions.
  public var csv: String { CSV.text(.data, rows) }

  /// Indented, keys sorted; a key without a value is left out. Shares such as `threshold` are fractions.
  public var json: String {
    get throws {
      func lines(_ lines: [Prose]) -> JSONValue { .array(lines.map { .string($0.markdown) }) }
      // Without `variant` for the mean over all variants.
      func mean(_ mean: GroupMean) -> JSONValue {
        .object(known: [
          "metric": .string(mean.metric.name), "variant": mean.variant.map(JSONValue.string),
          "ratio": .number(mean.ratio), "rows": .integer(mean.count),
        ])
      }
      let document: [String: JSONValue] = [
        "schema": .integer(2), "method": .string(method.rawValue), "base": base.json, "head": head.json,
        "thresholds": .object(
          Dictionary(uniqueKeysWithValues: Metric.compared.map { ($0.word, .number(thresholds[$0])) })),
        "exitCode": .integer(Int(exitCode)), "warnings": .array(warnings.map(JSONValue.string)),
        "failures": lines(failures), "unmatched": lines(unmatched), "notes": lines(notes),
        "rows": .array(rows.map { .object(Column.members(.data, of: $0)) }),
        "geometricMeans": .array(groupMeans.map(mean)),
      ]
      return try jsonText(document)
    }
  }
}

extension ComparedSide {
  fileprivate var json: JSONValue {
    .object(known: [
      "label": label.map(JSONValue.string), "version": .string(version),
      "commit": commit.map(JSONValue.string), "started": .string(started),
      "buildFlags": .array(buildFlags.map(JSONValue.string)),
    ])
  }
}
