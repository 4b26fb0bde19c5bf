extension String {
  /// The string as a JSON literal with its quotes, in UTF-8.
  ///
  /// RFC 8259, section 7: quote, backslash and what is below U+0020 are escaped. So is U+007F, which Perfetto
  /// takes for the end of the file's head.
  var jsonLiteral: [UInt8] {
    var bytes = [UInt8(ascii: "\"")]
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes += [UInt8(ascii: "\\"), byte]
      case ..<0x20, 0x7F:
        let digits = String(byte, radix: 16)
        bytes += Array("\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
      default:
        bytes.append(byte)
      }
    }
    return bytes + [UInt8(ascii: "\"")]
  }
}
