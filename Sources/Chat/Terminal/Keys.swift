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
  private enum State: Equatable {
    case ground
    case escape
    /// After `ESC [`.
    case sequence([UInt8])
    /// After `ESC O`.
    case shift
    case paste([UInt8])
    case character([UInt8])
  }

  private static let pasteEnd = Array("\u{1B}[201~".utf8)
  private static let longestSequence = 32

  private var state = State.ground

  /// Whether a key has begun that time alone may end.
  var isWaiting: Bool {
    switch state {
    case .ground, .paste: false
    case .escape, .sequence, .shift, .character: true
    }
  }

  mutating func keys(from bytes: some Sequence<UInt8>) -> [Key] {
    var keys: [Key] = []
    for byte in bytes { push(byte, &keys) }
    return keys
  }

  /// Nothing followed in time: what has begun is a key as it stands.
  mutating func flush() -> Key? {
    guard isWaiting else { return nil }
    defer { state = .ground }
    switch state {
    case .escape: return .escape
    case .character: return .text("\u{FFFD}")
    default: return .unknown
    }
  }

  private mutating func push(_ byte: UInt8, _ keys: inout [Key]) {
    switch state {
    case .ground: ground(byte, &keys)
    case .escape: escape(byte, &keys)
    case .sequence(let bytes): sequence(bytes, byte, &keys)
    case .shift:
      state = .ground
      keys.append(Self.shifted[Unicode.Scalar(byte)] ?? Self.key(parameters: [], final: byte))
    case .paste(var bytes):
      state = .ground  // Gives the array up, or each byte would copy it.
      bytes.append(byte)
      if byte == UInt8(ascii: "~"), bytes.suffix(Self.pasteEnd.count).elementsEqual(Self.pasteEnd) {
        keys.append(.paste(Self.pasted(bytes.dropLast(Self.pasteEnd.count))))
      } else {
        state = .paste(bytes)
      }
    case .character(let bytes): character(bytes, byte, &keys)
    }
  }

  private mutating func ground(_ byte: UInt8, _ keys: inout [Key]) {
    switch byte {
    case 0x1B: state = .escape
    case 0x0A, 0x0D: keys.append(.enter)
    case 0x09: keys.append(.tab)
    case 0x08, 0x7F: keys.append(.backspace)
    case 0x00: keys.append(.unknown)
    case 0x01...0x1A: keys.append(.control(Character(Unicode.Scalar(byte + 0x60))))
    case 0x1C...0x1F: keys.append(.control(Character(Unicode.Scalar(byte + 0x40))))
    case 0x20...0x7E: keys.append(.text(Unicode.Scalar(byte)))
    default:
      if Self.length(lead: byte) == nil { keys.append(.text("\u{FFFD}")) } else { state = .character([byte]) }
    }
  }

  private mutating func escape(_ byte: UInt8, _ keys: inout [Key]) {
    state = .ground
    switch byte {
    case UInt8(ascii: "["): state = .sequence([])
    case UInt8(ascii: "O"): state = .shift
    case 0x08, 0x7F: keys.append(.alt("\u{7F}"))
    case 0x20...0x7E: keys.append(.alt(Character(Unicode.Scalar(byte))))
    default:
      keys.append(.escape)
      push(byte, &keys)
    }
  }

  private mutating func sequence(_ bytes: [UInt8], _ byte: UInt8, _ keys: inout [Key]) {
    // The Linux console's function keys are `ESC [ [ A`.
    let isInside = (0x20...0x3F).contains(byte) || (bytes.isEmpty && byte == UInt8(ascii: "["))
    if isInside, bytes.count < Self.longestSequence {
      state = .sequence(bytes + [byte])
      return
    }
    state = .ground
    guard (0x40...0x7E).contains(byte) else {
      keys.append(.unknown)
      push(byte, &keys)
      return
    }
    if bytes == Array("200".utf8), byte == UInt8(ascii: "~") {
      state = .paste([])
    } else { keys.append(Self.key(parameters: bytes, final: byte)) }
  }

  private mutating func character(_ bytes: [UInt8], _ byte: UInt8, _ keys: inout [Key]) {
    state = .ground
    guard (0x80...0xBF).contains(byte) else {
      keys.append(.text("\u{FFFD}"))
      push(byte, &keys)
      return
    }
    let bytes = bytes + [byte]
    guard bytes.count == Self.length(lead: bytes[0]) else {
      state = .character(bytes)
      return
    }
    // What is no character (an encoded surrogate, a number beyond Unicode's) becomes U+FFFD.
    let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
    keys.append(.text(scalars.count == 1 ? scalars.first! : "\u{FFFD}"))
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
  private static func key(parameters: [UInt8], final: UInt8) -> Key {
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

  /// Terminals send a carriage return for each line's end.
  private static func pasted(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: Array(bytes), as: UTF8.self).replacing("\r\n", with: "\n").replacing("\r", with: "\n")
  }
}
