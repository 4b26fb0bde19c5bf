/// An enumeration that is written as one of a few words; a reader that meets another word learns which it
/// may be.
public protocol NamedChoice: RawRepresentable, CaseIterable, Codable, Sendable
where RawValue == String {}

extension NamedChoice {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let word = try container.decode(String.self)
    guard let choice = Self(rawValue: word) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: NamedChoiceMessage.prefix + Self.words)
    }
    self = choice
  }

  private static var words: String {
    allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
  }
}

enum NamedChoiceMessage {
  /// Opens the description of the decoding error, which is then what was expected.
  static let prefix = "one of "
}
