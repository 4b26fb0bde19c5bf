/// A variant that needs something which this machine may lack.
public struct LookedUpVariant: Sendable {
  public let name: String
  /// What it adds, in a line.
  public let summary: String

  private let lookUp: @Sendable () -> Result<Variant, BLASLibrary.Missing>

  init(
    name: String, summary: String, lookUp: @escaping @Sendable () -> Result<Variant, BLASLibrary.Missing>
  ) {
    self.name = name
    self.summary = summary
    self.lookUp = lookUp
  }

  /// The variant, or why there is none here.
  public var found: Result<Variant, BLASLibrary.Missing> { lookUp() }

  public var variant: Variant? { try? found.get() }
}
