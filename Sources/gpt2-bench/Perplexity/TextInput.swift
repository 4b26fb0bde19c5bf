import Foundation
import GPT2Model

/// A file or standard input as token ids, a block at a time: the text may be larger than memory.
struct TextInput {
  /// What errors and reports call it.
  let name: String
  /// The file's size; nil where it is not known.
  let bytes: Int?
  /// Bytes that became ids.
  private(set) var bytesTaken = 0

  private let handle: FileHandle
  private let tokenizer: Tokenizer
  private var blocks = TextBlocks()
  private var isAtEnd = false

  /// - Parameter path: nil or `-` for standard input.
  /// - Throws: `RunError` for a path that is no file.
  init(_ path: String?, _ tokenizer: Tokenizer) throws {
    self.tokenizer = tokenizer
    guard let path, path != "-" else {
      (name, bytes, handle) = ("standard input", nil, .standardInput)
      return
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw RunError("\(path): no such file, expected a text")
    }
    guard !isFolder.boolValue else { throw RunError("\(path): is a folder, expected a text") }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw RunError("\(path): cannot be read: permission denied")
    }
    name = path
    self.handle = handle
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    let isPlain = attributes?[.type] as? FileAttributeType == .typeRegular
    bytes = isPlain ? (attributes?[.size] as? NSNumber)?.intValue : nil
  }

  /// The next ids; nil at the text's end.
  ///
  /// - Throws: `RunError` for what cannot be read or is not UTF-8.
  mutating func next() throws -> [Int]? {
    while true {
      if let block = blocks.next() { return try ids(of: block) }
      if isAtEnd { return nil }
      do {
        if let piece = try handle.read(upToCount: Self.pieceBytes), !piece.isEmpty {
          blocks.append(piece)
          continue
        }
      } catch {
        throw RunError("\(name): cannot be read: \((error as NSError).localizedDescription)")
      }
      blocks.finish()
      isAtEnd = true
    }
  }

  private static let pieceBytes = 1 << 15

  private mutating func ids(of block: [UInt8]) throws -> [Int] {
    if let offset = UTF8Validity.firstInvalidByte(of: block) {
      throw RunError(
        "\(name): found byte 0x\(String(block[offset], radix: 16, uppercase: true)) at offset "
          + "\(bytesTaken + offset), expected UTF-8 text")
    }
    bytesTaken += block.count
    return try tokenizer.encode(utf8: block)
  }
}

enum UTF8Validity {
  /// Where the first ill-formed sequence begins; nil where all is UTF-8.
  static func firstInvalidByte(of bytes: [UInt8]) -> Int? {
    // What is repaired differs from what it was; that is quicker to see than scalar by scalar.
    guard !String(decoding: bytes, as: UTF8.self).utf8.elementsEqual(bytes) else { return nil }
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = 0
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let scalar): offset += scalar.count
      case .error: return offset
      case .emptyInput: return nil
      }
    }
  }
}
