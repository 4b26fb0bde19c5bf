enum Key: Equatable, Sendable {
  case text(Unicode.Scalar)
  /// A bracketed paste, whole, its lines divided by `\n`.
  case paste(String)
  case enter, tab, backspace, delete, escape
  case left, right, up, down, home, end, wordLeft, wordRight
  /// Control and a letter or sign, in lower case.
  case control(Character)
  /// Alt and a character; alt with backspace is U+007F.
  case alt(Character)
  case unknown
}

/// Turns the bytes that a terminal sends into keys: UTF-8, control characters, and the escape sequences of xterm and
/// its relatives (ECMA-48's CSI and SS3).
///
/// A key's bytes may come in pieces. An escape character alone is a key too: only time tells it from the beginning of
/// a sequence, so whoever reads calls `flush` where nothing followed.
struct KeyParser {
  private enum Reading {
    case more
    case key(Key)
    /// A key that breaks off: the last byte begins another one.
    case broken(Key)
  }

  private static let pasteStart = Array("\u{1B}[200~".utf8)
  private static let pasteEnd = Array("\u{1B}[201~".utf8)
  private static let longestSequence = 32

  /// Since the last key.
  private var bytes: [UInt8] = []

  /// Whether a key has begun that time alone may end.
  var isWaiting: Bool { !bytes.isEmpty && !bytes.starts(with: Self.pasteStart) }

  mutating func keys(from bytes: some Sequence<UInt8>) -> [Key] {
    var keys: [Key] = []
    for byte in bytes { take(byte, &keys) }
    return keys
  }

  /// Nothing followed in time: what has begun is a key as it stands.
  mutating func flush() -> Key? {
    guard isWaiting else { return nil }
    defer { bytes = [] }
    return bytes == [0x1B] ? .escape : bytes[0] == 0x1B ? .unknown : .text("\u{FFFD}")
  }

  private mutating func take(_ byte: UInt8, _ keys: inout [Key]) {
    bytes.append(byte)
    switch Self.read(bytes) {
    case .more: break
    case .key(let key):
      bytes = []
      keys.append(key)
    case .broken(let key):
      bytes = []
      keys.append(key)
      take(byte, &keys)
    }
  }

  private static func read(_ bytes: [UInt8]) -> Reading {
    let last = bytes[bytes.count - 1]
    switch (bytes[0], bytes.count) {
    case (0x1B, 1): return .more
    case (0x1B, 2): return afterEscape(last)
    case (0x1B, _) where bytes[1] == UInt8(ascii: "O"):
      return .key(shifted[Unicode.Scalar(last)] ?? key(parameters: [], final: last))
    case (0x1B, _): return bytes.starts(with: pasteStart) ? paste(bytes) : sequence(bytes[2...], last)
    case (0x80..., _): return character(bytes, last)
    default: return .key(single(last))
    }
  }

  private static func single(_ byte: UInt8) -> Key {
    switch byte {
    case 0x0A, 0x0D: .enter
    case 0x09: .tab
    case 0x08, 0x7F: .backspace
    case 0x01...0x1A: .control(Character(Unicode.Scalar(byte + 0x60)))
    case 0x1C...0x1F: .control(Character(Unicode.Scalar(byte + 0x40)))
    case 0x20...0x7E: .text(Unicode.Scalar(byte))
    default: .unknown
    }
  }

  private static func afterEscape(_ byte: UInt8) -> Reading {
    switch byte {
    case UInt8(ascii: "["), UInt8(ascii: "O"): .more
    case 0x08, 0x7F: .key(.alt("\u{7F}"))
    case 0x20...0x7E: .key(.alt(Character(Unicode.Scalar(byte))))
    default: .broken(.escape)
    }
  }

  /// Of what stands after `ESC [`.
  private static func sequence(_ bytes: ArraySlice<UInt8>, _ last: UInt8) -> Reading {
    // The Linux console's function keys are `ESC [ [ A`.
    let isInside = (0x20...0x3F).contains(last) || (bytes.count == 1 && last == UInt8(ascii: "["))
    if isInside, bytes.count <= longestSequence { return .more }
    guard (0x40...0x7E).contains(last) else { return .broken(.unknown) }
    return .key(key(parameters: bytes.dropLast(), final: last))
  }

  /// Terminals send a carriage return for each line's end.
  private static func paste(_ bytes: [UInt8]) -> Reading {
    guard bytes.suffix(pasteEnd.count).elementsEqual(pasteEnd) else { return .more }
    let text = String(decoding: bytes[pasteStart.count...].dropLast(pasteEnd.count), as: UTF8.self)
    return .key(.paste(text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")))
  }

  private static func character(_ bytes: [UInt8], _ last: UInt8) -> Reading {
    guard let length = length(lead: bytes[0]) else { return .key(.text("\u{FFFD}")) }
    if bytes.count > 1, !(0x80...0xBF).contains(last) { return .broken(.text("\u{FFFD}")) }
    guard bytes.count == length else { return .more }
    // What is no character (an encoded surrogate, a number beyond Unicode's) becomes U+FFFD.
    let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
    return .key(.text(scalars.count == 1 ? scalars.first ?? "\u{FFFD}" : "\u{FFFD}"))
  }

  private static func length(lead: UInt8) -> Int? {
    switch lead {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: nil
    }
  }

  /// `ESC [ 1 ; 5 C` is right with control: the second parameter is 1 + shift + 2 alt + 4 control.
  private static func key(parameters: ArraySlice<UInt8>, final: UInt8) -> Key {
    // Others are private to a terminal.
    let isStandard = parameters.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: ";")).contains($0) }
    guard isStandard else { return .unknown }
    let numbers = parameters.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map {
      Int(String(decoding: $0, as: UTF8.self))
    }
    let modifiers = (numbers.count > 1 ? numbers[1] ?? 1 : 1) - 1
    if final == UInt8(ascii: "~") { return (numbers.first ?? nil).flatMap { numbered[$0] } ?? .unknown }
    guard let known = finals[Unicode.Scalar(final)] else { return .unknown }
    return modifiers & 6 != 0 ? known.byWord : known.key
  }

  /// The keys of a sequence's last byte, alone and with alt or control.
  private static let finals: [Unicode.Scalar: (key: Key, byWord: Key)] = [
    "A": (.up, .up), "B": (.down, .down), "C": (.right, .wordRight), "D": (.left, .wordLeft),
    "H": (.home, .home), "F": (.end, .end),
  ]

  /// Of `ESC [ 1 ~` and the like.
  private static let numbered: [Int: Key] = [1: .home, 3: .delete, 4: .end, 7: .home, 8: .end]

  /// After `ESC O`; others are as after `ESC [`.
  private static let shifted: [Unicode.Scalar: Key] = ["M": .enter, "c": .wordRight, "d": .wordLeft]
}
