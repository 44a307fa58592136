using TinyLlm.Engine;
using TinyLlm.Grains.Sessions;
using TinyLlm.Text;

namespace TinyLlm.Grains.Residency;

/// <summary>A model version in memory: weights on the device, and what makes text of tokens. Shared by all sessions of the silo.</summary>
internal sealed class LoadedModel(ResidentModel weights, long reservedBytes, Tokenizer tokenizer, ChatTemplate template)
{
    public DecoderConfig Config => weights.Config;

    public ResidentModel Weights => weights;

    /// <summary>What was reserved for the weights, and is given back when they are gone.</summary>
    public long ReservedBytes => reservedBytes;

    public Tokenizer Tokenizer => tokenizer;

    /// <summary>Schemas that answers of this model are held to.</summary>
    public ConstraintCache Constraints { get; } = new(tokenizer);

    /// <summary>The model's own chat template, or the documented plain one.</summary>
    public ChatTemplate Template => template;

    /// <summary>Tokens that end an answer: those of config.json, and the tokenizer's own end of text.</summary>
    public IEnumerable<int> StopIds => tokenizer.EndOfTextId is { } id ? Config.EndOfTextIds.Append(id).Distinct() : Config.EndOfTextIds;
}
