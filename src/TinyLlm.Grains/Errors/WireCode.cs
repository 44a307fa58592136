using System.Text.Json;

namespace TinyLlm.Grains.Errors;

/// <summary>Names of closed error sets as clients read them: the member in snake_case, where "DType" is the one word that the field writes.</summary>
public static class WireCode
{
    /// <summary>For instance "wrong_tensor_dtype".</summary>
    public static string Of<T>(T member)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(member.ToString().Replace("DType", "Dtype", StringComparison.Ordinal));
}
