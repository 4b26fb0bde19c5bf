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

  /// The class of a scalar below U+0080.
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
