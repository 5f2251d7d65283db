"""List the attributes of DICOM objects that are not read, by keyword and with the reason.

The keywords are those of the modules of images, structure sets, doses, plans and treatment records (DICOM
PS3.3). They apply at every level, including everything below them. The value account counts each group in one
line, because a plan has hundreds of them.
"""

from __future__ import annotations

from collections.abc import Mapping

PRIVATE, RETIRED, TECHNICAL = "(private)", "(retired)", "(group length)"
OVERLAYS, OTHER_KIND = "(overlays)", "(another kind of object)"

_BY_KIND = {
    PRIVATE: "attributes of a maker's own (groups of odd numbers): only their maker knows what they mean",
    RETIRED: "attributes that DICOM has retired: what they said stands elsewhere",
    TECHNICAL: "lengths of groups: how the file is written",
    OVERLAYS: "overlays and curves: drawings on the image",
    OTHER_KIND: "of an object that no study uses; patient and kind of object are read",
}

_BY_KEYWORD = {
    "(patient)": (
        "about the patient beyond number, name, birth date and sex: no study needs it, and what is not "
        "kept cannot leak",
        """
        AdditionalPatientHistory AdmissionID AdmittingDiagnosesCodeSequence AdmittingDiagnosesDescription
        Allergies AlternateContainerIdentifierSequence BreedRegistrationSequence
        ClinicalTrialProtocolEthicsCommitteeApprovalNumber ClinicalTrialProtocolEthicsCommitteeName
        ClinicalTrialProtocolID ClinicalTrialProtocolName ClinicalTrialSiteID ClinicalTrialSiteName
        ClinicalTrialSponsorName ClinicalTrialSubjectID ClinicalTrialSubjectReadingID
        ContainerComponentSequence ContainerDescription ContainerIdentifier ContainerTypeCodeSequence
        DeidentificationMethod DeidentificationMethodCodeSequence EthnicGroupCodeSequence
        GeneticModificationsSequence GroupOfPatientsIdentificationSequence IssuerOfAdmissionIDSequence
        IssuerOfClinicalTrialProtocolID IssuerOfClinicalTrialSiteID IssuerOfClinicalTrialSubjectID
        IssuerOfClinicalTrialSubjectReadingID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence
        IssuerOfServiceEpisodeIDSequence IssuerOfTheContainerIdentifierSequence LastMenstrualDate
        MeasuredAPDimension MeasuredLateralDimension MedicalAlerts Occupation
        OtherClinicalTrialProtocolIDsSequence OtherPatientIDsSequence OtherPatientNames PatientAge
        PatientAlternativeCalendar PatientBirthDateInAlternativeCalendar PatientBirthTime
        PatientBodyMassIndex PatientBreedCodeSequence PatientBreedDescription PatientComments
        PatientDeathDateInAlternativeCalendar PatientIdentityRemoved PatientSexNeutered PatientSize
        PatientSizeCodeSequence PatientSpeciesCodeSequence PatientSpeciesDescription PatientState
        PatientWeight PregnancyStatus QualityControlSubject ReasonForVisit ReasonForVisitCodeSequence
        ReferencedPatientPhotoSequence ReferencedPatientSequence ResponsibleOrganization ResponsiblePerson
        ResponsiblePersonRole ServiceEpisodeDescription ServiceEpisodeID SmokingStatus
        SourcePatientGroupIdentificationSequence SpecimenDescriptionSequence StrainAdditionalInformation
        StrainCodeSequence StrainDescription StrainNomenclature StrainStockSequence TypeOfPatientID
        """,
    ),
    "(study, series and staff)": (
        "when, by whom and for what the object was made: plans and records have dates of their own",
        """
        AccessionNumber AcquisitionDate AcquisitionDateTime AcquisitionDuration AcquisitionNumber
        AcquisitionTime AcquisitionUID AnatomicalOrientationType BodyPartExamined
        ClinicalTrialCoordinatingCenterName ClinicalTrialSeriesDescription ClinicalTrialSeriesID
        ClinicalTrialTimePointDescription ClinicalTrialTimePointID ClinicalTrialTimePointTypeCodeSequence
        CommentsOnThePerformedProcedureStep ConsentForClinicalTrialUseSequence
        ConsultingPhysicianIdentificationSequence ConsultingPhysicianName ImagesInAcquisition
        IrradiationEventUID IssuerOfAccessionNumberSequence IssuerOfClinicalTrialSeriesID
        IssuerOfClinicalTrialTimePointID LargestPixelValueInSeries Laterality LongitudinalTemporalEventType
        LongitudinalTemporalOffsetFromEvent ModalitiesInStudy NameOfPhysiciansReadingStudy
        OperatorIdentificationSequence OperatorsName PatientPosition PerformedProcedureStepDescription
        PerformedProcedureStepEndDate PerformedProcedureStepEndTime PerformedProcedureStepID
        PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProtocolCodeSequence
        PerformingPhysicianIdentificationSequence PerformingPhysicianName PhysiciansOfRecord
        PhysiciansOfRecordIdentificationSequence PhysiciansReadingStudyIdentificationSequence
        ProcedureCodeSequence ProtocolName ReasonForPerformedProcedureCodeSequence
        ReferencedPerformedProcedureStepSequence ReferencedStudySequence
        ReferringPhysicianIdentificationSequence ReferringPhysicianName RelatedSeriesSequence
        RequestAttributesSequence RequestingService RequestingServiceCodeSequence ScheduledProcedureStepID
        SeriesDate SeriesDescription SeriesDescriptionCodeSequence SeriesNumber SeriesTime
        SmallestPixelValueInSeries StudyDate StudyDescription StudyID StudyTime TreatmentSessionUID
        """,
    ),
    "(equipment)": (
        "the machine beyond maker and model, and how its clock runs",
        """
        AcquisitionTimeSynchronized DateOfInstallation DateOfLastCalibration DateOfManufacture
        DeviceSequence DeviceSerialNumber DeviceUID GantryID InstitutionAddress InstitutionName
        InstitutionalDepartmentName InstitutionalDepartmentTypeCodeSequence ManufacturerDeviceClassUID
        NTPSourceAddress PixelPaddingValue PositionReferenceIndicator SoftwareVersions SpatialResolution
        StationName SynchronizationChannel SynchronizationFrameOfReferenceUID SynchronizationTrigger
        TimeDistributionProtocol TimeOfLastCalibration TimeSource TriggerSourceOrType UDISequence
        """,
    ),
    "(object)": (
        "how the object was made, signed and copied, and what else it refers to",
        """
        AcquisitionContextDescription AcquisitionContextSequence AuthorizationEquipmentCertificationNumber
        BarcodeValue CodingSchemeIdentificationSequence ContentQualification
        ContextGroupIdentificationSequence ContributingEquipmentSequence ConversionSourceAttributesSequence
        DerivationCodeSequence DerivationDescription DigitalSignaturesSequence DimensionIndexSequence
        DimensionOrganizationSequence DimensionOrganizationType EncryptedAttributesSequence
        FrameExtractionSequence HL7StructuredDocumentReferenceSequence InstanceCoercionDateTime
        InstanceCreationDate InstanceCreationTime InstanceCreatorUID InstanceNumber InstanceOriginStatus
        LongitudinalTemporalInformationModified MACParametersSequence MappingResourceIdentificationSequence
        OriginalAttributesSequence OriginalSpecializedSOPClassUID PrivateDataElementCharacteristicsSequence
        QueryRetrieveView ReferencedDefinedProtocolSequence ReferencedImageSequence
        ReferencedInstanceSequence ReferencedPerformedProtocolSequence ReferencedSeriesSequence
        RelatedGeneralSOPClassUID SOPAuthorizationComment SOPAuthorizationDateTime SOPInstanceStatus
        SourceImageSequence SourceInstanceSequence SpecificCharacterSet
        StudiesContainingOtherReferencedInstancesSequence SyntheticData TimezoneOffsetFromUTC
        """,
    ),
    "(approval)": (
        "who approved, at what time; of structure sets and doses also whether",
        """
        ApprovalStatus ReviewDate ReviewTime ReviewerName
        """,
    ),
    "(image)": (
        "how the image was taken and is shown; only thickness, spacing, position and voltage are used",
        """
        BitsAllocated BitsStored BluePaletteColorLookupTableData BluePaletteColorLookupTableDescriptor
        BurnedInAnnotation CTAcquisitionDetailsSequence CTAcquisitionTypeSequence
        CTAdditionalXRaySourceSequence CTDIPhantomTypeCodeSequence CTDIvol CTExposureSequence
        CTGeometrySequence CTImageFrameTypeSequence CTPositionSequence CTReconstructionSequence
        CTTableDynamicsSequence CTXRayDetailsSequence CalciumScoringMassFactorDevice
        CalciumScoringMassFactorPatient CardiacBeatRejectionTechnique CardiacFramingType
        CardiacRRIntervalSpecified CardiacSignalSource CardiacSynchronizationSequence
        CardiacSynchronizationTechnique ColorSpace Columns ConcatenationFrameOffsetNumber ConcatenationUID
        ContentDate ContentTime ContrastBolusAdministrationRouteSequence ContrastBolusAgent
        ContrastBolusAgentSequence ContrastBolusIngredient ContrastBolusIngredientConcentration
        ContrastBolusRoute ContrastBolusStartTime ContrastBolusStopTime ContrastBolusTotalDose
        ContrastBolusUsageSequence ContrastBolusVolume ContrastFlowDuration ContrastFlowRate
        ConvolutionKernel DataCollectionCenterPatient DataCollectionDiameter DerivationImageSequence
        DetectorPositioningType DistanceSourceToDetector DistanceSourceToPatient
        EncapsulatedPixelDataValueTotalLength EnergyWeightingFactor EquipmentFrameOfReferenceUID Exposure
        ExposureInuAs ExposureModulationType ExposureTime ExtendedOffsetTable ExtendedOffsetTableLengths
        FilterMaterial FilterType FocalSpots FrameAnatomySequence FrameContentSequence FrameIncrementPointer
        FrameVOILUTSequence GantryDetectorTilt GeneratorPower GreenPaletteColorLookupTableData
        GreenPaletteColorLookupTableDescriptor HighBit HighRRValue ICCProfile IconImageSequence
        ImageAndFluoroscopyAreaDoseProduct ImageComments ImageLaterality ImageOrientationPatient
        ImagePositionPatient ImageType ImagingEquipmentToTreatmentDeliveryDeviceRelationshipSequence
        InConcatenationNumber InConcatenationTotalNumber IntervalsAcquired IntervalsRejected
        IrradiationEventIdentificationSequence IsocenterPosition LargestImagePixelValue
        LossyImageCompression LossyImageCompressionMethod LossyImageCompressionRatio LowRRValue
        MultienergyCTAcquisition MultienergyCTAcquisitionSequence MultienergyCTCharacteristicsSequence
        MultienergyCTPathSequence MultienergyCTProcessingSequence MultienergyCTXRayDetectorSequence
        MultienergyCTXRaySourceSequence NumberOfFrames PatientEquipmentRelationshipCodeSequence
        PatientOrientation PatientOrientationCodeSequence PatientToEquipmentRelationshipSequence
        PatientTreatmentPreparationSequence PhotometricInterpretation PixelAspectRatio PixelData
        PixelDataProviderURL PixelPaddingRangeLimit PixelPresentation PixelRepresentation PixelSpacing
        PixelValueTransformationSequence PlanarConfiguration PlaneOrientationSequence PlanePositionSequence
        PresentationLUTShape QualityControlImage RealWorldValueMappingSequence RecognizableVisualFeatures
        ReconstructionDiameter ReconstructionTargetCenterPatient RedPaletteColorLookupTableData
        RedPaletteColorLookupTableDescriptor ReferencedImageEvidenceSequence ReferencedPathIndex
        ReferencedPresentationStateSequence ReferencedRTPlanSequence ReferencedRawDataSequence
        ReferencedWaveformSequence RepresentativeFrameNumber RescaleIntercept RescaleSlope RescaleType
        RespiratoryMotionCompensationTechnique RespiratorySignalSource RespiratorySynchronizationSequence
        RespiratoryTriggerDelayThreshold RespiratoryTriggerType RevolutionTime RotationDirection Rows
        SOPInstanceUIDOfConcatenationSource SamplesPerPixel ScanArcType ScanOptions
        ScanStartPositionSequence ScanStopPositionSequence SingleCollimationWidth SkipBeats SliceLocation
        SliceProgressionDirection SliceThickness SmallestImagePixelValue SourceImageEvidenceSequence
        SpacingBetweenSlices SpiralPitchFactor StereoPairsPresent TableFeedPerRotation TableHeight
        TableSpeed TemporalPositionSequence TotalCollimationWidth VOILUTFunction VOILUTSequence
        ViewCodeSequence VolumeBasedCalculationTechnique VolumetricProperties WaterEquivalentDiameter
        WaterEquivalentDiameterCalculationMethodCodeSequence WindowCenter WindowCenterWidthExplanation
        WindowWidth XRayTubeCurrent
        """,
    ),
    "(plan)": (
        "aims, limits, set-up and accessories of the plan that no rule of docs/radiotherapy.md uses",
        """
        AlternateBeamDose AlternateBeamDoseType BeamDeliveryDurationLimit BeamDoseMeaning BeamDoseType
        BrachyApplicationSetupDoseSpecificationPoint ConstraintWeight DefinitionSourceSequence
        DeliveryMaximumDose DeliveryWarningDose DoseCalibrationConditionsSequence
        DoseCalibrationConditionsVerifiedFlag DoseReferencePointCoordinates DoseReferenceUID
        DoseValueInterpretation DoseValuePurpose FractionGroupDescription FractionPattern
        FrameOfReferenceToDisplayedCoordinateSystemTransformationMatrix IonToleranceTableSequence
        NominalPriorDose NumberOfFractionPatternDigitsPerDay OrganAtRiskFullVolumeDose OrganAtRiskLimitDose
        OrganAtRiskMaximumDose OrganAtRiskOverdoseVolumeFraction PatientSetupSequence
        PrescriptionDescription RTPlanDescription RTPlanName RTPlanTime
        RadiationDeviceConfigurationAndCommissioningKeySequence ReferencedDoseReferenceUID
        ReferencedDoseSequence ReferencedROINumber ReferencedSOPClassUID RepeatFractionCycleLength
        TargetMaximumDose TargetMinimumDose TargetUnderdoseVolumeFraction ToleranceTableSequence
        TreatmentProtocols TreatmentSite TreatmentSiteCodeSequence
        """,
    ),
    "(beam)": (
        "what the beam looks like beyond technique, energy, isocentre and shape; aperture, table and "
        "accessories",
        """
        AccessoryCode ApplicatorSequence BeamDescription BeamLimitingDeviceRotationDirection
        BeamLimitingDeviceSequence BeamName BlockSequence ChairHeadFramePosition CompensatorSequence
        ControlPointIndex DepthDoseParametersSequence DoseRateSet EffectiveWedgeAngle
        EnhancedRTBeamLimitingDeviceDefinitionFlag EnhancedRTBeamLimitingDeviceSequence
        EnhancedRTBeamLimitingOpeningSequence EntityLongLabel ExternalContourEntryPoint
        FinalCumulativeMetersetWeight FixationEye FixationLightAzimuthalAngle FixationLightPolarAngle
        GantryPitchAngle GantryPitchRotationDirection GeneralAccessorySequence HeadFixationAngle
        HighDoseTechniqueType IonBeamLimitingDeviceSequence IonBlockSequence IonRangeCompensatorSequence
        IonWedgePositionSequence IsocenterToWedgeTrayDistance KVP LateralSpreadingDeviceSequence
        LateralSpreadingDeviceSettingsSequence MetersetRate ModulatedScanModeType NumberOfBlocks
        NumberOfBoli NumberOfCompensators NumberOfControlPoints NumberOfLateralSpreadingDevices
        NumberOfPaintings NumberOfRangeModulators NumberOfRangeShifters NumberOfScanSpotPositions
        NumberOfWedges PatientSupportAccessoryCode PatientSupportID PatientSupportRotationDirection
        PatientSupportType PlannedVerificationImageSequence PrimaryDosimeterUnit PrimaryFluenceModeSequence
        RTTreatmentTechniqueCodeSequence RadiationAtomicNumber RadiationChargeState RadiationMassNumber
        RangeModulatorSequence RangeModulatorSettingsSequence RangeShifterSequence
        RangeShifterSettingsSequence ReferencedBolusSequence ReferencedDoseReferenceSequence
        ReferencedPatientSetupNumber ReferencedReferenceImageSequence ReferencedToleranceTableNumber
        ScanMode ScanSpotReorderingAllowed ScanSpotTuneID ScanningSpotSize SnoutPosition SnoutSequence
        SourceToExternalContourDistance SourceToSurfaceDistance SourceToWedgeTrayDistance SurfaceEntryPoint
        TableTopEccentricAngle TableTopEccentricAxisDistance TableTopEccentricRotationDirection
        TableTopLateralPosition TableTopLongitudinalPosition TableTopPitchAngle
        TableTopPitchRotationDirection TableTopPositionAlignmentUID TableTopRollAngle
        TableTopRollRotationDirection TableTopVerticalPosition TotalBlockTrayFactor
        TotalBlockTrayWaterEquivalentThickness TotalCompensatorTrayFactor
        TotalCompensatorTrayWaterEquivalentThickness TotalWedgeTrayWaterEquivalentThickness
        VirtualSourceAxisDistances WedgeAngle WedgeFactor WedgeID WedgeNumber WedgeOrientation
        WedgePositionSequence
        """,
    ),
    "(application)": (
        "applicators, channels and sources of brachytherapy: its dose and fractions are used",
        """
        AfterloaderChannelID ApplicationSetupManufacturer ApplicationSetupName
        ApplicatorShapeReferencedROINumber BrachyAccessoryDeviceSequence
        BrachyReferencedDoseReferenceSequence BrachyTreatmentTechnique ChannelEffectiveLength
        ChannelInnerLength ChannelLength ChannelNumber ChannelShieldSequence ControlPointOrientation
        ControlPointRelativePosition FinalCumulativeTimeWeight MaterialID NumberOfPulses
        PulseRepetitionInterval ReferencedSourceNumber SourceApplicatorID SourceApplicatorLength
        SourceApplicatorManufacturer SourceApplicatorName SourceApplicatorNumber SourceApplicatorStepSize
        SourceApplicatorTipLength SourceApplicatorType SourceApplicatorWallNominalThickness
        SourceApplicatorWallNominalTransmission SourceMovementType SourceSequence TemplateName
        TemplateNumber TemplateType TransferTubeLength TransferTubeNumber TreatmentMachineSequence
        """,
    ),
    "(structures)": (
        "how a structure was drawn and what it is called besides its name and type",
        """
        AnatomicRegionSequence ConceptualVolumeIdentificationSequence ContourImageSequence ObservationNumber
        PredecessorStructureSetSequence PrimaryAnatomicStructureSequence ROICreatorSequence ROIDateTime
        ROIDerivationAlgorithmIdentificationSequence ROIDescription ROIGenerationAlgorithm
        ROIGenerationDescription ROIInterpreter ROIInterpreterSequence ROIObservationContextCodeSequence
        ROIObservationDateTime ROIPhysicalPropertiesSequence ROIVolume RTProtocolCodeSequence
        RTROIIdentificationCodeSequence RTRelatedROISequence ReferencedFrameOfReferenceUID
        ReferencedSOPInstanceUID RelatedRTROIObservationsSequence SegmentedPropertyCategoryCodeSequence
        SourceSeriesInformationSequence StructureSetDescription StructureSetName StructureSetTime
        TherapeuticRoleCategoryCodeSequence TherapeuticRoleTypeCodeSequence
        """,
    ),
    "(contours)": (
        "contours: no volume is computed here",
        """
        ROIContourSequence
        """,
    ),
    "(dose grid)": (
        "dose grid and histograms: no dose to a volume is computed here",
        """
        DVHNormalizationDoseValue DVHNormalizationPoint DVHSequence DoseComment GridFrameOffsetVector
        NormalizationPoint PlanOverviewSequence ReferencedFractionGroupSequence ReferencedPlanOverviewIndex
        ReferencedSpatialRegistrationSequence ReferencedStructureSetSequence
        ReferencedTreatmentRecordSequence SpatialTransformOfDose TissueHeterogeneityCorrection
        """,
    ),
    "(treatment)": (
        "how the machine moved and what it checked: fraction, monitor units and how it ended are used",
        """
        ApplicationSetupCheck ApplicationSetupType BeamLimitingDeviceAngle
        BeamLimitingDeviceLeafPairsSequence BeamLimitingDevicePositionSequence BeamStopperPosition BeamType
        BrachyTreatmentType CalculatedDoseReferenceSequence ClinicalFractionNumber
        CorrectedParameterSequence DeliveredDepthDoseParametersSequence DeliveredSecondaryMeterset
        DeliveredTreatmentTime DoseRateDelivered FractionGroupType GantryAngle GantryRotationDirection
        GatingBeamHoldTransitionSequence InterlockSequence MachineSpecificTreatmentTerminationCodeSequence
        MeasuredDoseReferenceSequence MetersetRateDelivered MetersetRateSet NominalBeamEnergy
        NominalBeamEnergyUnit OverrideSequence PatientSupportAngle RTTreatmentTerminationReasonCodeSequence
        RadiationType RecordedBlockSequence RecordedBrachyAccessoryDeviceSequence RecordedChannelSequence
        RecordedCompensatorSequence RecordedLateralSpreadingDeviceSequence RecordedRangeModulatorSequence
        RecordedRangeShifterSequence RecordedSnoutSequence RecordedSourceSequence RecordedWedgeSequence
        ReferencedCalculatedDoseReferenceSequence ReferencedControlPointIndex
        ReferencedMeasuredDoseReferenceSequence ReferencedVerificationImageSequence
        ScanSpotMetersetsDelivered ScanSpotPositionMap ScanSpotPrescribedIndices ScanSpotReordered
        ScanSpotSizesDelivered ScanSpotTimeOffset SourceAxisDistance SpecifiedSecondaryMeterset
        SpecifiedTreatmentTime TotalReferenceAirKerma TreatmentControlPointDate TreatmentControlPointTime
        TreatmentStatusComment TreatmentSummaryCalculatedDoseReferenceSequence
        TreatmentSummaryMeasuredDoseReferenceSequence TreatmentTerminationDescription TreatmentTime
        TreatmentVerificationStatus
        """,
    ),
}
"""Name in the value account to the reason and the keywords."""

GROUPS: Mapping[str, tuple[str, frozenset[str]]] = {
    **{name: (reason, frozenset()) for name, reason in _BY_KIND.items()},
    **{name: (reason, frozenset(keywords.split())) for name, (reason, keywords) in _BY_KEYWORD.items()},
}
"""Name in the value account to the reason and the keywords; groups without keywords are known by tag
number."""
