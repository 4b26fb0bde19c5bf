/// The first step of a pass: out[i] = token vector of ids[i] + vector of position first + i. The engine's own, the same
/// for every variant.
public struct Embedding {
  /// (vocabulary, channels)
  let tokens: UnsafePointer<Float>
  /// (context, channels)
  let positions: UnsafePointer<Float>
  let channels: Int

  /// - Parameter out: (ids, channels)
  func run(_ ids: ArraySlice<Int>, firstPosition: Int, to out: UnsafeMutablePointer<Float>) {
    var place = positions + firstPosition * channels
    var row = out
    for id in ids {
      let token = tokens + id * channels
      for c in 0..<channels { row[c] = token[c] + place[c] }
      place += channels
      row += channels
    }
  }

  /// One a value.
  public static func flops(rows: Int, channels: Int) -> Double { Double(rows) * Double(channels) }

  /// Of each row a token's vector and a position's read once, their sum written once.
  public static func bytes(rows: Int, channels: Int) -> Double { 12 * Double(rows) * Double(channels) }

  /// Of `bytes`, the vectors, which lie anywhere in their tables.
  public static func tableBytes(rows: Int, channels: Int) -> Double { 8 * Double(rows) * Double(channels) }
}
