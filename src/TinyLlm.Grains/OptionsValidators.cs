using Microsoft.Extensions.Options;
using TinyLlm.Engine;
using TinyLlm.Grains.Collection;
using TinyLlm.Grains.Forgetting;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Users;

namespace TinyLlm.Grains;

/// <summary>Checks the ranges written beside the properties; generated.</summary>
[OptionsValidator]
internal sealed partial class UserLimitsValidator : IValidateOptions<UserLimits>;

/// <inheritdoc cref="UserLimitsValidator"/>
[OptionsValidator]
internal sealed partial class CollectionOptionsValidator : IValidateOptions<CollectionOptions>;

/// <inheritdoc cref="UserLimitsValidator"/>
[OptionsValidator]
internal sealed partial class DeviceLoopOptionsValidator : IValidateOptions<DeviceLoopOptions>;

/// <inheritdoc cref="UserLimitsValidator"/>
[OptionsValidator]
internal sealed partial class RetentionOptionsValidator : IValidateOptions<RetentionOptions>;

/// <inheritdoc cref="UserLimitsValidator"/>
[OptionsValidator]
internal sealed partial class ResidencyOptionsValidator : IValidateOptions<ResidencyOptions>;
