/// A line that GitHub Actions reads from a step's output and shows as an annotation:
/// `::error title=packed, pp64::prefill tok/s: regressed`
/// (docs.github.com, "Workflow commands for GitHub Actions").
struct WorkflowCommand: Sendable, Equatable {
  enum Level: String, Sendable { case error, warning, notice }

  let level: Level
  let title: String
  let message: String

  var line: String {
    "::\(level.rawValue) title=\(Self.escapedProperty(title))::\(Self.escaped(message))"
  }

  /// What would end the command.
  private static func escaped(_ text: String) -> String {
    // A carriage return and the line feed behind it are one Character.
    text.unicodeScalars.map { scalar in
      switch scalar {
      case "%": "%25"
      case "\r": "%0D"
      case "\n": "%0A"
      default: String(scalar)
      }
    }.joined()
  }

  /// What would end the property, too.
  private static func escapedProperty(_ text: String) -> String {
    escaped(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
  }
}
