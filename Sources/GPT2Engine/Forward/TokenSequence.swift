import GPT2Kernels
import GPT2Model

/// The tokens of one text, with whatever the engine that made it keeps of them between steps.
public final class TokenSequence {
  public private(set) var tokens: [Int] = []

  /// Positions whose keys and values are kept; always 0 where the engine recomputes.
  var cachedCount = 0
  let cache: KeyValueCache?

  /// The shape that the cache was sized for.
  let configuration: Configuration

  init(cache: KeyValueCache?, configuration: Configuration) {
    (self.cache, self.configuration) = (cache, configuration)
  }

  public var room: Int { configuration.context - tokens.count }

  /// Adds tokens for the engine to take in at its next step.
  public func append(_ ids: [Int]) throws(EngineError) {
    try configuration.check(ids, after: tokens.count)
    tokens += ids
  }

  /// Adds tokens that are known to be in the vocabulary and to fit.
  func appendChecked(_ ids: ArraySlice<Int>) {
    assert(ids.count <= room)
    tokens += ids
  }

  /// Forgets all but the first `count` tokens, as if the rest had never been taken in.
  /// - Parameter count: at most as many as there are.
  public func truncate(to count: Int) {
    precondition(count >= 0 && count <= tokens.count, "a sequence of \(tokens.count) tokens cut to \(count)")
    tokens.removeSubrange(count...)
    cachedCount = min(cachedCount, count)
  }

  /// Forgets everything, keeps the memory.
  public func reset() {
    tokens = []
    cachedCount = 0
  }
}

extension Configuration {
  /// Whether a prompt can be continued.
  /// - Throws: `EngineError.emptyPrompt`, `tokenOutsideVocabulary`, `contextExceeded`.
  func check(prompt: [Int]) throws(EngineError) {
    guard !prompt.isEmpty else { throw .emptyPrompt }
    try check(prompt, after: 0)
  }

  /// Holds tokens that are to follow `count` others against the vocabulary and the context.
  func check(_ ids: [Int], after count: Int) throws(EngineError) {
    for id in ids where id < 0 || id >= vocabulary {
      throw .tokenOutsideVocabulary(id: id, vocabulary: vocabulary)
    }
    guard ids.count <= context - count else {
      throw .contextExceeded(tokens: count + ids.count, context: context)
    }
  }
}

/// Keys and values of one sequence: of each layer the heads' keys, then their values, as the kernel wants them.
final class KeyValueCache {
  let capacity: Int

  private let keyCount: Int
  private let valueCount: Int
  private let storage: FloatBuffer

  init(layers: Int, configuration: Configuration, layout: CacheLayout) throws(EngineError) {
    let (heads, headSize) = (configuration.heads, configuration.headSize)
    capacity = configuration.context
    keyCount = heads * layout.keyStride(capacity: capacity, headSize: headSize)
    valueCount = heads * layout.valueStride(capacity: capacity, headSize: headSize)
    storage = try makeBuffer(layers * (keyCount + valueCount))
  }

  func keys(_ layer: Int) -> UnsafeMutablePointer<Float> { storage.base + layer * (keyCount + valueCount) }
  func values(_ layer: Int) -> UnsafeMutablePointer<Float> { keys(layer) + keyCount }
}
