import Foundation
import GPT2Kernels
import Statistics

/// Attention of consecutive new positions over those before, whose keys and values lie in the caches of many layers.
///
/// As in a pass, all threads have read what the call before wrote, a linear layer has just written the queries and the new
/// positions' keys and values, each thread its share of them, and the keys and values have been stored; those of the
/// positions before come from the next layer's cache, which was read last when all the others had their turn.
public final class AttentionProblem: OperationProblem {
  public let callsPerPreparation: Int? = 1

  private let rows, heads, headSize, depth, capacity: Int
  private let kernel: any Kernel
  /// (rows, 3 · channels): queries, keys and values, as their linear layer leaves them.
  private let qkv: FloatBuffer
  /// The linear layer before it and the one after it; nil where nothing is timed.
  private let linears: (before: AdjacentLinear, after: AdjacentLinear)?
  /// (depth, 2 · channels): keys and values of the positions before, the same in each layer.
  private let past: FloatBuffer
  private let output, scores: PoisonedOutput
  private let caches: FloatBuffer
  private let layers, keyCount, valueCount: Int
  private var layer = 0

  private var channels: Int { heads * headSize }

  /// Positions are given room for in steps of this: GPT-2's context.
  private static let capacityStep = 1024
  /// What all layers' caches may take of the address space.
  private static let mostCacheBytes = 1 << 31
  /// Each takes pages of its own, however little it holds.
  private static let mostLayers = 2048

  /// What values are multiplied with to be subnormal.
  private static let subnormalFactor: Float = 0x1p-129

  /// - Parameter rotation: where the linear layers' weights come from. The caches of all layers hold as much of positions
  ///   before as it does: as many layers as that takes and there is room for, at least two. Nil for one layer, and no
  ///   linear layers.
  public init(
    rows: Int, heads: Int, headSize: Int, depth: Int, kernel: any Kernel, rotation: WeightRotation?,
    operands: Operands = .ordinary
  ) throws(EngineError) {
    let capacity = Self.capacity(depth + rows)
    let channels = heads * headSize
    keyCount = heads * kernel.cacheLayout.keyStride(capacity: capacity, headSize: headSize)
    valueCount = heads * kernel.cacheLayout.valueStride(capacity: capacity, headSize: headSize)
    let wordsOfALayer = Double(keyCount + valueCount)
    let bytesOfAPosition = Attention.cachedBytes(
      firstPosition: 1, channels: channels, cache: kernel.cacheLayout.precision)
    layers =
      rotation.map {
        Self.layers(
          streamedBytes: $0.bytes, bytesOfAPosition: bytesOfAPosition, depth: depth,
          wordsOfALayer: wordsOfALayer)
      } ?? 1
    var generator = SeededGenerator(seed: 1)
    qkv = try drawn(rows * 3 * channels, &generator)
    past = try drawn(depth * 2 * channels, &generator)
    if operands == .subnormal {
      for row in 0..<rows { Self.shrink(qkv.base + (3 * row + 2) * channels, count: channels) }
      for row in 0..<depth { Self.shrink(past.base + (2 * row + 1) * channels, count: channels) }
    }
    linears = try rotation.map(WeightWalk.init).map { walk throws(EngineError) in
      (
        try AdjacentLinear(rows: rows, inputs: channels, outputs: 3 * channels, kernel: kernel, walk: walk),
        try AdjacentLinear(rows: rows, inputs: channels, outputs: channels, kernel: kernel, walk: walk)
      )
    }
    output = try PoisonedOutput(rows * channels)
    scores = try PoisonedOutput(heads * capacity)
    caches = try makeBuffer(layers * (keyCount + valueCount))
    (self.rows, self.heads, self.headSize, self.depth) = (rows, heads, headSize, depth)
    (self.capacity, self.kernel) = (capacity, kernel)
    for layer in 0..<layers {
      store(past.base, count: depth, stride: 2 * channels, firstPosition: 0, in: layer)
    }
    prepare()
  }

  static func bytes(rows: Int, heads: Int, headSize: Int, depth: Int, streamedBytes: Int) -> Double {
    let channels = Double(heads) * Double(headSize)
    let perPosition = 8 * channels
    let layers = layers(
      streamedBytes: streamedBytes, bytesOfAPosition: perPosition, depth: depth,
      wordsOfALayer: 2 * channels * Double(capacity(depth + rows)))
    return Double(layers) * perPosition * Double(depth + rows) + 2 * perPosition * Double(depth + rows)
      + 3 * perPosition * Double(rows)
  }

  private static func shrink(_ values: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { values[i] *= subnormalFactor }
  }

  private static func capacity(_ positions: Int) -> Int {
    (positions + capacityStep - 1) / capacityStep * capacityStep
  }

  /// As many as hold `streamedBytes` of positions before, and there is room for; at least two.
  private static func layers(
    streamedBytes: Int, bytesOfAPosition: Double, depth: Int, wordsOfALayer: Double
  ) -> Int {
    let wanted =
      depth == 0 ? 2 : (Double(streamedBytes) / (bytesOfAPosition * Double(depth))).rounded(.down) + 1
    let most = min(Double(mostCacheBytes) / (4 * wordsOfALayer), Double(mostLayers))
    return max(Int(min(wanted, most)), 2)
  }

  /// The next layer, with the new positions' queries, keys and values computed and the latter stored.
  public func prepare() {
    layer = (layer + 1) % layers
    linears?.after.run(from: UnsafePointer(output.base))
    linears?.before.run(to: qkv.base)
    store(qkv.base + channels, count: rows, stride: 3 * channels, firstPosition: depth, in: layer)
  }

  /// - Parameter rows: keys, and values `channels` after them.
  private func store(
    _ rows: UnsafePointer<Float>, count: Int, stride: Int, firstPosition: Int, in layer: Int
  ) {
    guard count > 0 else { return }
    let keys = caches.base + layer * (keyCount + valueCount)
    kernel.run(
      CacheStore(
        newKeys: Matrix(rows, rows: count, columns: channels, stride: stride),
        newValues: Matrix(rows + channels, rows: count, columns: channels, stride: stride), keys: keys,
        values: keys + keyCount, heads: heads, headSize: headSize, capacity: capacity,
        firstPosition: firstPosition))
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    let keys = caches.base + layer * (keyCount + valueCount)
    kernel.run(
      Attention(
        queries: Matrix(qkv.base, rows: rows, columns: channels, stride: 3 * channels), keys: keys,
        values: keys + keyCount, heads: heads, headSize: headSize, capacity: capacity, firstPosition: depth,
        output: MutableMatrix(output.base, rows: rows, columns: channels), scores: scores.base))
    return UnsafePointer(output.base)
  }

  public func check() -> ValueCheck {
    output.fill()
    scores.fill()
    _ = run(turn: 0)
    let places = comparedPlaces(of: rows * heads, cost: 2 * (depth + rows) * headSize, limit: 100_000_000)
    var result = ValueCheck(compared: places.count * headSize, total: rows * heads * headSize)
    for place in places { compare(row: place / heads, head: place % heads, &result) }
    output.hold(&result)
    scores.hold(&result)
    return result
  }

  /// Keys and values are those that the cache keeps. A score's error shifts its weight and the denominator alike; powers
  /// are off as in a softmax, and weighted values by a sum's bound, each that is subnormal by half a step.
  private func compare(row: Int, head: Int, _ result: inout ValueCheck) {
    let query = qkv.base + row * 3 * channels + head * headSize
    let cache = kernel.cacheLayout
    let scale = 1 / Double(headSize).squareRoot()
    var worst = 0.0
    let scores = (0...depth + row).map { position in
      let key = key(position) + head * headSize
      var (sum, size) = (0.0, 0.0)
      for i in 0..<headSize {
        let product = Double(query[i]) * Double(cache.kept(key[i]))
        sum += product
        size += abs(product)
      }
      worst = max(worst, size * scale * (sumFactor(headSize) + 2 * unitRoundoff))
      return sum * scale
    }
    let (largest, smallest) = (scores.max() ?? 0, scores.min() ?? 0)
    let powers = scores.map { exp($0 - largest) }
    let denominator = powers.reduce(0, +)
    let relative = 2 * worst + 2 * sumFactor(scores.count) + (8 + largest - smallest) * unitRoundoff
    for i in 0..<headSize {
      var (sum, size) = (0.0, 0.0)
      for (position, power) in powers.enumerated() {
        let kept = cache.kept(key(position)[channels + head * headSize + i])
        let value = Double(kept) * power / denominator
        sum += value
        size += abs(value)
      }
      let column = head * headSize + i
      result.add(
        output.base[row * channels + column], sum,
        tolerance: relative * size + Double(scores.count + 1) * subnormalStep / 2, row: row, column: column)
    }
  }

  /// A position's keys of all heads; its values lie `channels` after them.
  private func key(_ position: Int) -> UnsafePointer<Float> {
    position < depth
      ? UnsafePointer(past.base) + position * 2 * channels
      : UnsafePointer(qkv.base) + (position - depth) * 3 * channels + channels
  }
}
