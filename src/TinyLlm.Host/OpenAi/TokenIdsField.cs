using System.Collections.Immutable;
using System.Text.Json;

namespace TinyLlm.Host.OpenAi;

/// <summary>Reads a list of token ids. Whether they are the model's is for the session to say.</summary>
internal static class TokenIdsField
{
    private const int MaxIds = 1 << 20;

    public static ImmutableArray<int> Read(JsonElement ids, string name)
    {
        if (ids.GetArrayLength() is 0 or > MaxIds) throw RequestFields.Malformed(name, $"must have 1 to {MaxIds} token ids");
        ImmutableArray<int>.Builder read = ImmutableArray.CreateBuilder<int>(ids.GetArrayLength());
        foreach (JsonElement id in ids.EnumerateArray())
        {
            if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt32(out int value)) throw RequestFields.Malformed(name, "token ids must be whole numbers");
            read.Add(value);
        }
        return read.MoveToImmutable();
    }
}
