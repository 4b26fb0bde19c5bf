/// Splits text as GPT-2 does before merging; no token crosses the edge of a word.
///
/// By hand what the release's regular expression says:
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
struct WordScanner {
  private let text: UnsafeBufferPointer<UInt8>
  private var classes = ScalarClasses()

  /// - Parameter text: valid UTF-8, which must outlive the scanner.
  init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

  /// Where the word ends that starts at `start`, in text that ends at `limit`.
  /// - Precondition: `start < limit`, and scalars start at both.
  @inline(__always)
  mutating func endOfWord(from start: Int, limit: Int) -> Int {
    let first = text[start]
    if first == UInt8(ascii: "'") {
      let length = contractionLength(at: start, limit: limit)
      if length > 0 { return start + length }
    }
    let head = first == 0x20 && start + 1 < limit ? start + 1 : start
    let (headClass, headLength) = classify(at: head)
    if headClass != .space { return endOfRun(of: headClass, from: head + headLength, limit: limit) }
    return endOfSpace(from: start, limit: limit)
  }

  /// The length of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at an apostrophe; 0 where there is none.
  private func contractionLength(at apostrophe: Int, limit: Int) -> Int {
    guard apostrophe + 1 < limit else { return 0 }
    let first = text[apostrophe + 1]
    switch first {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 2
    default: break
    }
    guard apostrophe + 2 < limit else { return 0 }
    switch (first, text[apostrophe + 2]) {
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
      (UInt8(ascii: "l"), UInt8(ascii: "l")):
      return 3
    default: return 0
    }
  }

  @inline(__always)
  private mutating func endOfRun(of runClass: ScalarClass, from start: Int, limit: Int) -> Int {
    var position = start
    while position < limit {
      let (nextClass, length) = classify(at: position)
      if nextClass != runClass { break }
      position += length
    }
    return position
  }

  /// `\s+(?!\S)|\s+`: all white space at a text's end; before a word, all but its last scalar unless it is alone.
  private mutating func endOfSpace(from start: Int, limit: Int) -> Int {
    var position = start
    var last = start
    while position < limit {
      let (nextClass, length) = classify(at: position)
      if nextClass != .space { return last > start ? last : position }
      last = position
      position += length
    }
    return position
  }

  @inline(__always)
  private mutating func classify(at position: Int) -> (ScalarClass, length: Int) {
    let byte = text[position]
    if byte < 0x80 { return (ScalarClass(ascii: byte), 1) }
    let (scalar, length) = UTF8Text.scalar(in: text, at: position)
    return (classes.scalarClass(of: scalar), length)
  }
}

/// What the pre-tokenization pattern distinguishes: `\p{L}`, `\p{N}`, `\s`, and everything else.
enum ScalarClass: UInt8 {
  case other
  case letter
  case number
  case space

  /// The class by the Unicode Character Database: general categories L* and N*, and White_Space.
  ///
  /// Scalars assigned after Unicode 16 are `other`, as they are in the tokenizers that GPT-2 users compare
  /// with (Hugging Face `tokenizers` 0.23, tiktoken 0.14): ids must not change with the toolchain's Unicode.
  init(_ scalar: Unicode.Scalar) {
    let properties = scalar.properties
    if properties.isWhitespace {
      self = .space
      return
    }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: self = .letter
    case .decimalNumber, .letterNumber, .otherNumber: self = .number
    default: self = .other
    }
    if let age = properties.age, age.major > 16 { self = .other }
  }

  @inline(__always)
  init(ascii byte: UInt8) {
    if (byte | 0x20) &- 0x61 < 26 {
      self = .letter
    } else if byte == 0x20 || byte &- 0x09 < 5 {
      self = .space
    } else if byte &- 0x30 < 10 {
      self = .number
    } else {
      self = .other
    }
  }
}

/// The classes of the scalars beyond ASCII, looked up in the Unicode tables once for each block of 64 that
/// a text touches: a property lookup takes some 100 ns, and all of Unicode some 90 ms.
struct ScalarClasses {
  private var blocks: [UInt16] = []  // by scalar / 64: 1 + the block's place in `classes`, 0 where unknown
  private var classes: [ScalarClass] = []

  @inline(__always)
  mutating func scalarClass(of scalar: UInt32) -> ScalarClass {
    if blocks.isEmpty { blocks = [UInt16](repeating: 0, count: 0x110000 / 64) }
    let block = Int(scalar >> 6)
    if blocks[block] == 0 { fill(block) }
    return classes[(Int(blocks[block]) - 1) << 6 | Int(scalar & 63)]
  }

  @inline(never)
  private mutating func fill(_ block: Int) {
    for value in UInt32(block) << 6..<UInt32(block + 1) << 6 {
      classes.append(Unicode.Scalar(value).map { ScalarClass($0) } ?? .other)
    }
    blocks[block] = UInt16(classes.count >> 6)
  }
}

/// Reading UTF-8 that is known to be valid.
enum UTF8Text {
  /// The scalar value that starts at `position`, and its length in bytes (1…4).
  /// - Precondition: `text` is valid UTF-8 and a scalar starts at `position`.
  @inline(__always)
  static func scalar(in text: UnsafeBufferPointer<UInt8>, at position: Int) -> (value: UInt32, length: Int) {
    let lead = UInt32(text[position])
    if lead < 0x80 { return (lead, 1) }
    let second = UInt32(text[position + 1]) & 0x3F
    if lead < 0xE0 { return ((lead & 0x1F) << 6 | second, 2) }
    let third = UInt32(text[position + 2]) & 0x3F
    if lead < 0xF0 { return ((lead & 0x0F) << 12 | second << 6 | third, 3) }
    let fourth = UInt32(text[position + 3]) & 0x3F
    return ((lead & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
  }
}
