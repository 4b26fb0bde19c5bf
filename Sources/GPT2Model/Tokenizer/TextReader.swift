import Files
import Foundation

/// A text in a file or on standard input, a block at a time: it may be larger than memory.
public struct TextReader {
  /// What errors call the text.
  public let name: String
  /// The size of what is read; nil where it is not known.
  public private(set) var bytes: Int?

  private let handle: FileHandle
  private var blocks: TextBlocks
  /// Where the next block begins in the text.
  private var position = 0
  /// Bytes that are not read yet; nil for all that there are.
  private var rest: Int?
  private var isAtEnd = false

  /// - Parameters:
  ///   - path: nil or `-` for standard input.
  ///   - blocks: how the text is cut.
  /// - Throws: `ModelError` for a path that is no file.
  public init(_ path: String?, blocks: TextBlocks = TextBlocks()) throws(ModelError) {
    self.blocks = blocks
    guard let path, path != "-" else {
      (name, bytes, handle) = ("standard input", nil, .standardInput)
      return
    }
    bytes = try Self.size(of: path)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason().lowercased()) }
    name = path
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// The bytes of a plain file; nil of a pipe or a device. It is not opened: a pipe would wait for its writer.
  /// - Throws: `ModelError` for a path that is no file.
  public static func size(of path: String) throws(ModelError) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT else { throw .unreadable(path: path, reason: systemReason().lowercased()) }
      throw .malformed(path: path, problem: "no such file, expected a text")
    }
    let kind = status.st_mode & S_IFMT
    guard kind != S_IFDIR else { throw .malformed(path: path, problem: "is a folder, expected a text") }
    return kind == S_IFREG ? Int(status.st_size) : nil
  }

  /// Some bytes of a file; characters begin at both ends.
  /// - Throws: `ModelError` for a path that is no file.
  public init(_ path: String, part: Range<Int>, blocks: TextBlocks = TextBlocks()) throws(ModelError) {
    try self.init(path, blocks: blocks)
    position = part.lowerBound
    rest = part.count
    bytes = part.count
    do { try handle.seek(toOffset: UInt64(part.lowerBound)) } catch {
      throw .unreadable(path: path, reason: systemReason(of: error))
    }
  }

  /// The next block; nil at the text's end.
  /// - Throws: `ModelError` for what cannot be read or is not UTF-8.
  public mutating func next() throws(ModelError) -> [UInt8]? {
    while true {
      if let block = blocks.next() {
        try UTF8Validity.check(block, of: name, from: position)
        position += block.count
        return block
      }
      if isAtEnd { return nil }
      if let piece = try readPiece() {
        blocks.append(piece)
      } else {
        blocks.finish()
        isAtEnd = true
      }
    }
  }

  private mutating func readPiece() throws(ModelError) -> Data? {
    let count = min(rest ?? Self.pieceBytes, Self.pieceBytes)
    guard count > 0 else { return nil }
    do {
      guard let piece = try handle.read(upToCount: count), !piece.isEmpty else { return nil }
      rest = rest.map { $0 - piece.count }
      return piece
    } catch { throw .unreadable(path: name, reason: systemReason(of: error)) }
  }

  private static let pieceBytes = 1 << 15

  /// A few bytes of a file, whatever they are; fewer where it ends before.
  public static func bytes(of path: String, _ range: Range<Int>) throws(ModelError) -> [UInt8] {
    var reader = try TextReader(path, part: range)
    var bytes: [UInt8] = []
    while let piece = try reader.readPiece() { bytes.append(contentsOf: piece) }
    return bytes
  }
}

/// The ids of a text, a block at a time.
public struct TokenReader {
  public private(set) var text: TextReader
  private let tokenizer: Tokenizer
  private var isAtStart = true

  /// - Parameters:
  ///   - path: nil or `-` for standard input.
  ///   - part: some bytes of a file, at whose ends characters begin.
  /// - Throws: `ModelError` for a path that is no file.
  public init(_ path: String?, part: Range<Int>? = nil, _ tokenizer: Tokenizer) throws(ModelError) {
    let blocks = tokenizer.encodesInBlocks ? TextBlocks() : TextBlocks(size: .max)
    if let path, let part {
      text = try TextReader(path, part: part, blocks: blocks)
    } else {
      text = try TextReader(path, blocks: blocks)
    }
    self.tokenizer = tokenizer
  }

  /// The next ids; nil at the text's end.
  /// - Throws: `ModelError` for what cannot be read or is not UTF-8, `TokenizerError` for a byte without a token.
  public mutating func next() throws -> [Int]? {
    guard let block = try text.next() else { return nil }
    defer { isAtStart = false }
    return try (isAtStart ? tokenizer.prefix : []) + tokenizer.encode(utf8: block)
  }
}

public enum UTF8Validity {
  /// - Parameters:
  ///   - name: what errors call the text.
  ///   - start: bytes of the text before these.
  /// - Throws: `ModelError` for the first ill-formed sequence.
  public static func check(_ bytes: [UInt8], of name: String, from start: Int = 0) throws(ModelError) {
    guard let offset = firstInvalidByte(of: bytes) else { return }
    throw .malformed(
      path: name,
      problem: "found byte 0x\(String(bytes[offset], radix: 16, uppercase: true)) at offset "
        + "\(start + offset), expected UTF-8 text")
  }

  /// Where the first ill-formed sequence begins; nil where all is UTF-8.
  public static func firstInvalidByte(of bytes: [UInt8]) -> Int? {
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
