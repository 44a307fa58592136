namespace TinyLlm.Engine;

/// <summary>The blocks of one caller on one model: what begins a prompt, and what follows it.</summary>
internal sealed class PrefixTree(ResidentModel model, string caller)
{
    public ResidentModel Model { get; } = model;

    public string Caller { get; } = caller;

    /// <summary>Blocks that begin a prompt.</summary>
    public Dictionary<BlockIds, PrefixBlock> First { get; } = [];
}
