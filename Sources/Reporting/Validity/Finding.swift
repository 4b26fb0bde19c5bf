/// Something that speaks against a run's figures.
public struct Finding: Codable, Sendable, Equatable {
  public enum Severity: String, NamedChoice {
    /// The figures are not to be trusted without a look at it.
    case warning
    /// Worth knowing.
    case note
  }

  public var severity: Severity
  /// What was looked at, in a few words: `load by others`.
  public var check: String
  /// What was found, in a line.
  public var text: String

  public init(severity: Severity, check: String, text: String) {
    self.severity = severity
    self.check = check
    self.text = text
  }
}
