/// One variant held against one reference.
public struct Correctness: Codable, Sendable, Equatable {
  public var variant: String
  public var threads: Int
  /// The reference's name; for an operation its shape as in `Test.name`.
  public var reference: String
  public var passed: Bool
  /// Absent where a value was not finite or nothing could be compared.
  public var maxAbsoluteError: Double?
  public var tolerance: Double
  /// Σ(x − r)² / Σr²; absent likewise.
  public var nmse: Double?
  /// Positions whose largest logit is the reference's, of all compared.
  public var argmaxAgreed: Int
  public var argmaxCompared: Int
  /// Why it failed, in a line; nil where it passed.
  public var failure: String?

  public init(
    variant: String, threads: Int, reference: String, passed: Bool, maxAbsoluteError: Double?,
    tolerance: Double, nmse: Double?, argmaxAgreed: Int, argmaxCompared: Int, failure: String?
  ) {
    (self.variant, self.threads, self.reference, self.passed) = (variant, threads, reference, passed)
    (self.maxAbsoluteError, self.tolerance, self.nmse) = (maxAbsoluteError, tolerance, nmse)
    (self.argmaxAgreed, self.argmaxCompared, self.failure) = (argmaxAgreed, argmaxCompared, failure)
  }
}

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
    (self.severity, self.check, self.text) = (severity, check, text)
  }
}
