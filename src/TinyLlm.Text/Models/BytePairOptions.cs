using System.Collections.Frozen;

namespace TinyLlm.Text.Models;

/// <summary>The settings of a <see cref="BytePairModel"/>, named as tokenizer.json's model fields.</summary>
internal sealed record BytePairOptions
{
    /// <summary>Stands for a character that has neither a token nor byte tokens; without it such a character is left out.</summary>
    public int? UnknownId { get; init; }

    /// <summary>Whether a run of unknown characters is one unknown token.</summary>
    public bool FuseUnknown { get; init; }

    public bool ByteFallback { get; init; }

    /// <summary>Whether a piece that is a token as a whole is that token, whatever the merges say.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>Ids that text alone never becomes: special tokens.</summary>
    public FrozenSet<int> NeverWhole { get; init; } = [];

    public string ContinuingPrefix { get; init; } = "";

    public string EndOfWordSuffix { get; init; } = "";

    public bool HasAffixes => ContinuingPrefix.Length + EndOfWordSuffix.Length > 0;
}
