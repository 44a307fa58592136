namespace TinyLlm.Grains.Usage;

/// <summary>One line of a ledger, or what is to be added to it.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.UsageRow")]
public sealed record UsageRow
{
    /// <summary>The day, in UTC.</summary>
    [Id(0)] public required DateOnly Day { get; init; }

    /// <summary>"owner/model", as it was named then.</summary>
    [Id(1)] public required string Model { get; init; }

    /// <summary>As what the user is concerned.</summary>
    [Id(2)] public required UsageRole Role { get; init; }

    /// <summary>How much.</summary>
    [Id(3)] public required UsageCount Count { get; init; }
}
