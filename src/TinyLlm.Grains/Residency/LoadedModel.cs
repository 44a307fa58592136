using TinyLlm.Engine;
using TinyLlm.Text;

namespace TinyLlm.Grains.Residency;

/// <summary>A model version in memory: weights on the device, and what makes text of tokens. Shared by all sessions of the silo.</summary>
internal sealed class LoadedModel(Checkpoint checkpoint, ResidentModel weights, Tokenizer tokenizer, ChatTemplate template)
{
    public DecoderConfig Config => checkpoint.Config;

    public Checkpoint Checkpoint => checkpoint;

    public ResidentModel Weights => weights;

    public Tokenizer Tokenizer => tokenizer;

    /// <summary>The model's own chat template, or the documented plain one.</summary>
    public ChatTemplate Template => template;

    /// <summary>Tokens that end an answer: those of config.json, and the tokenizer's own end of text.</summary>
    public IEnumerable<int> StopIds => tokenizer.EndOfTextId is { } id ? Config.EndOfTextIds.Append(id).Distinct() : Config.EndOfTextIds;
}
