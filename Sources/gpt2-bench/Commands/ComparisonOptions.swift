import Reporting

/// What every comparison takes on the command line.
extension Option {
  static let maxRegression = Option(
    "--max-regression", value: "P",
    help: "how much worse counts as a regression: 5%, or by metric: 5%,decode=2%,memory=1% "
      + "(default \(Thresholds().words))")
  static let rows = Option(
    "--rows", value: "W,…",
    help:
      "rows to compare: those whose 'variant weights tTHREADS test metric' has every word of one of the terms, "
      + "for example \"packed decode,memory\"")
}

extension Arguments {
  /// The shares of `--max-regression` over `defaults`.
  func thresholds(defaults: Thresholds = Thresholds()) throws -> Thresholds {
    guard let text = string(Option.maxRegression.names[0]) else { return defaults }
    return try value(of: .maxRegression) { try Thresholds(parsing: text, defaults: defaults) }
  }

  /// Nil where all rows are wanted.
  func rowFilter() throws -> RowFilter? {
    guard let text = string(Option.rows.names[0]) else { return nil }
    return try value(of: .rows) { try RowFilter(parsing: text) }
  }

  /// What `make` makes of the option's value; what it finds wrong with it is a usage error.
  func value<Value>(of option: Option, _ make: () throws -> Value) throws -> Value {
    do { return try make() } catch let error as OptionError {
      throw UsageError(option.names[0], found: error.found, expected: error.expected)
    }
  }
}
