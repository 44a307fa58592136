namespace TinyLlm.Engine;

/// <summary>The blocks of one caller on one model: what begins a prompt, and what follows it.</summary>
internal sealed class PrefixTree(ResidentModel model, string caller)
{
    public ResidentModel Model { get; } = model;

    public string Caller { get; } = caller;

    /// <summary>What is reserved for its blocks.</summary>
    public long Bytes { get; set; }

    /// <summary>Blocks that begin a prompt.</summary>
    public Dictionary<BlockIds, PrefixBlock> First { get; } = [];
}
