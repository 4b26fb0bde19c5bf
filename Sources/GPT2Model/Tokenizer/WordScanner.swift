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
  ///
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

  /// `\s+(?!\S)|\s+`: all of the white space at the end of the text; before a word, all but its last scalar,
  /// unless that is all there is.
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
