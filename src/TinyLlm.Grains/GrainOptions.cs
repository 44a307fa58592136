using System.Collections.Immutable;
using TinyLlm.Engine;
using TinyLlm.Grains.Collection;
using TinyLlm.Grains.Forgetting;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Users;

namespace TinyLlm.Grains;

/// <summary>The options that grains and the engine read, by their sections of the configuration: for who lists and checks all options of a host.</summary>
public static class GrainOptions
{
    /// <summary>Sections and their classes, as <see cref="TinyLlmGrains"/> binds them.</summary>
    public static ImmutableArray<(string Section, Type Type)> Sections { get; } =
    [
        ("TinyLlm:Limits", typeof(UserLimits)),
        ("TinyLlm:Encryption", typeof(EncryptionOptions)),
        ("TinyLlm:Retention", typeof(RetentionOptions)),
        ("TinyLlm:Collection", typeof(CollectionOptions)),
        ("TinyLlm:Drain", typeof(SessionDrainOptions)),
        ("TinyLlm:Engine", typeof(DeviceLoopOptions)),
        ("TinyLlm:Residency", typeof(ResidencyOptions)),
    ];
}
