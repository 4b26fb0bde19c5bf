import Record

/// One thing that is looked at to see whether a run's figures hold.
struct ValidityCheck: Sendable, Equatable {
  enum Outcome: Sendable, Equatable {
    case clear
    case found(Finding.Severity)
    /// The system does not tell.
    case unreadable
  }

  let name: String
  /// The figure, for a table; empty where there is none.
  let figure: String
  /// What it may be, for a table.
  let limit: String
  let outcome: Outcome
  /// What was found, in a line.
  let text: String

  private init(_ name: String, _ figure: String, _ limit: String, _ outcome: Outcome, _ text: String) {
    self.name = name
    self.figure = figure
    self.limit = limit
    self.outcome = outcome
    self.text = text
  }

  var finding: Finding? {
    guard case .found(let severity) = outcome else { return nil }
    return Finding(severity: severity, check: name, text: text)
  }

  static func unreadable(_ name: String) -> ValidityCheck { .init(name, "", "", .unreadable, "") }

  static func judged(
    _ name: String, _ figure: String, limit: String, _ isFound: Bool, _ text: String,
    severity: Finding.Severity = .warning
  ) -> ValidityCheck {
    .init(name, figure, limit, isFound ? .found(severity) : .clear, text)
  }
}

/// Beyond what a run's conditions are found fault with.
enum ValidityLimit {
  /// Half the change that a comparison looks for by default (5 %).
  static let stolenShare = 0.02
  /// A tenth of a core is 5 % of two, and more than an idle system does.
  static let othersCores = 0.1
  /// Half a core over a stretch reaches the samples in it, though the run's mean hides it.
  static let othersCoresInAStretch = 0.5
  /// As large as the change that a comparison looks for by default.
  static let calibrationSpread = 0.05
  /// Neighbours on one die and cores of different dies lie further apart than that.
  static let coreToCoreSpread = 1.5
}
