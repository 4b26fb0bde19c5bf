import Foundation

/// A document as JSON: indented, keys sorted, so that the same document is the same bytes; a line's end last.
///
/// - Throws: an `EncodingError` for a number that is not finite.
func readableJSON(_ document: some Encodable) throws -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return try encoder.encode(document) + Data("\n".utf8)
}
