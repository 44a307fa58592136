using System.Collections.Immutable;
using Orleans.Concurrency;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Residency;

/// <summary>One silo's memory of models, whatever its roles. Key: the silo's address; the grain lives on that silo and nowhere else.</summary>
[Alias("tinyllm.IResidencyGrain")]
public interface IResidencyGrain : IGrainWithStringKey
{
    /// <summary>
    /// Drops models of an owner whose files are gone: those versions, or, without any, all of them and what is remembered of the owner's own prompts. Running
    /// answers are cut.
    /// </summary>
    [Alias("Drop")]
    Task Drop(UserId owner, ImmutableArray<VersionId>? versions);

    /// <summary>What of an owner's is in memory.</summary>
    [Alias("Measure")]
    Task<ResidentBytes> Measure(UserId owner);

    /// <summary>What the silo holds and does, for the operator.</summary>
    [AlwaysInterleave]
    [Alias("Describe")]
    Task<SiloReport> Describe();
}
