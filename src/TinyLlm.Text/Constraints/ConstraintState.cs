using TinyLlm.Text.Constraints;

namespace TinyLlm.Text;

/// <summary>
/// How far one output has come: tells which tokens keep it completable, and takes the chosen one. A token is allowed when its bytes lead to some reading of the
/// text that can still become a valid document. Not safe for concurrent use.
/// </summary>
public sealed class ConstraintState
{
    private readonly ConstraintVocabulary _vocabulary;
    private readonly List<JsonReadings> _levels = [];
    private readonly JsonFrame[] _one = new JsonFrame[1];
    private JsonFrame[] _frames;

    internal ConstraintState(ConstraintVocabulary vocabulary, JsonFrame first)
    {
        _vocabulary = vocabulary;
        _frames = [first];
    }

    /// <summary>Whether what was written is a whole valid document.</summary>
    public bool IsComplete => _frames.Any(frame => frame.IsComplete);

    /// <summary>
    /// Sets the bits of the allowed tokens in <paramref name="allowed"/>, which has a bit for each id of the model, and clears the others.
    /// False: no token is.
    /// </summary>
    public bool Mask(Span<ulong> allowed)
    {
        allowed.Clear();
        foreach (JsonFrame frame in _frames)
        {
            if (frame.Text is { } cursor)
            {
                ReadOnlySpan<ulong> text = _vocabulary.Texts.Of(cursor);
                for (int i = 0; i < Math.Min(text.Length, allowed.Length); i++) allowed[i] |= text[i];
            }
            else
            {
                Walk(_vocabulary.Plain, frame, allowed);
            }
            Walk(_vocabulary.Quoted, frame, allowed);
        }
        return allowed.ContainsAnyExcept(0ul);
    }

    /// <summary>Takes a token. False: it was not allowed, and nothing changed.</summary>
    public bool Advance(int id)
    {
        if (_vocabulary.Bytes(id) is not { } bytes) return false;
        IReadOnlyList<JsonFrame> frames = _frames;
        for (int at = 0; at < bytes.Length && frames.Count > 0; at++)
        {
            JsonReadings level = Level(at & 1); // read from one, write into the other
            level.Step(frames, bytes[at]);
            frames = level.Frames;
        }
        if (frames.Count == 0) return false;
        _frames = [.. frames];
        return true;
    }

    private void Walk(ByteTrie tokens, JsonFrame frame, Span<ulong> allowed)
    {
        _one[0] = frame;
        Walk(tokens, 0, tokens.Nodes, _one, 0, allowed);
    }

    private void Walk(ByteTrie tokens, int from, int to, IReadOnlyList<JsonFrame> frames, int depth, Span<ulong> allowed)
    {
        JsonReadings level = Level(depth);
        for (int node = from; node < to; node = tokens.End(node))
        {
            level.Step(frames, tokens.Value(node));
            if (level.Frames.Count == 0) continue;
            foreach (int id in tokens.Tokens(node))
            {
                // A tokenizer may have more tokens than its model has outputs.
                if (id >> 6 < allowed.Length) allowed[id >> 6] |= 1ul << id;
            }
            if (node + 1 < tokens.End(node)) Walk(tokens, node + 1, tokens.End(node), level.Frames, depth + 1, allowed);
        }
    }

    private JsonReadings Level(int depth)
    {
        while (_levels.Count <= depth) _levels.Add(new JsonReadings());
        return _levels[depth];
    }
}
